/** How much may be under way (RFC 9260 sections 7.2.1 to 7.2.4). All in bytes. */

export class Congestion {
  readonly #mtu: number;
  /** The congestion window. */
  window: number;
  #threshold: number;
  /** Acknowledged since the window last grew, in congestion avoidance. */
  #partial = 0;

  constructor(mtu: number, peerWindow: number) {
    this.#mtu = mtu;
    this.window = Math.min(4 * mtu, Math.max(2 * mtu, 4404));
    this.#threshold = peerWindow;
  }

  /** The Cumulative TSN Ack moved on. `before`: what was under way when the SACK came. */
  acknowledged(bytes: number, before: number): void {
    // A window that was not used up says nothing about whether it could be larger.
    const full = before + this.#mtu > this.window;
    if (this.window <= this.#threshold) {
      if (full) this.window += Math.min(bytes, 2 * this.#mtu);
      return;
    }
    this.#partial += bytes;
    if (this.#partial < this.window) return;
    this.#partial = full ? this.#partial - this.window : 0;
    if (full) this.window += this.#mtu;
  }

  /** A chunk was found missing by the gaps behind it. */
  lost(): void {
    this.#threshold = Math.max(this.window / 2, 4 * this.#mtu);
    this.window = this.#threshold;
    this.#partial = 0;
  }

  /** T3 expired: nothing of what is under way may be arriving. */
  timedOut(): void {
    this.#threshold = Math.max(this.window / 2, 4 * this.#mtu);
    this.window = this.#mtu;
    this.#partial = 0;
  }
}
