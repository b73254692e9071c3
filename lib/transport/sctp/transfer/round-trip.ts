/** Smoothed round-trip time and retransmission time-out (RFC 9260 section 6.3.1). */

/** Bounds of the retransmission time-out, in ms. */
export interface RtoBounds {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

export class RoundTrip {
  readonly #bounds: RtoBounds;
  #smoothed: number | undefined;
  #variation = 0;
  #rto: number;

  constructor(bounds: RtoBounds) {
    this.#bounds = bounds;
    this.#rto = bounds.initial;
  }

  /** ms; undefined until measured. */
  get smoothed(): number | undefined {
    return this.#smoothed;
  }

  /** ms. */
  get rto(): number {
    return this.#rto;
  }

  /** A round trip took this long (ms); it must not be one of something that was sent twice (Karn). */
  measured(duration: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = duration;
      this.#variation = duration / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - duration);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * duration;
    }
    this.#rto = Math.min(this.#bounds.max, Math.max(this.#bounds.min, this.#smoothed + 4 * this.#variation));
  }

  /** A time-out passed without an answer (rule E2 of section 6.3.3). */
  backOff(): void {
    this.#rto = Math.min(this.#bounds.max, 2 * this.#rto);
  }
}
