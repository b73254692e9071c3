/**
 * Repair: failure detection. The package never notices a peer that is gone. Asks a silent peer for a sign of life
 * (RFC 9260 section 8.3) and says when it has been silent for too long.
 */

import type { Clock, Timer } from '../../../clock.js';
import type { Random } from '../../../random.js';
import type { SctpHeartbeat } from '../sctp-stack.js';

export interface PathWatchEvents {
  /** Send a HEARTBEAT with this information. */
  onAsk(info: Buffer): void;
  /** The answer to a HEARTBEAT took this long (ms). */
  onRoundTrip(duration: number): void;
  onSilent(): void;
}

export class PathWatch {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: PathWatchEvents;
  #heartbeat: SctpHeartbeat;
  #heardAt: number;
  #timer: Timer | undefined;
  #dueAt = 0;
  /** The question that is open; only the last one's answer counts. */
  #asked: { readonly nonce: number; readonly at: number } | undefined;
  #stopped = false;

  constructor(clock: Clock, random: Random, heartbeat: SctpHeartbeat, events: PathWatchEvents) {
    this.#clock = clock;
    this.#random = random;
    this.#heartbeat = heartbeat;
    this.#events = events;
    this.#heardAt = clock.now();
    this.#arm(heartbeat.interval);
  }

  /** A packet of the peer came. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  set(heartbeat: SctpHeartbeat): void {
    if (this.#stopped) return;
    const { interval, timeout } = this.#heartbeat;
    if (interval === heartbeat.interval && timeout === heartbeat.timeout) return;
    this.#heartbeat = heartbeat;
    const silence = this.#clock.now() - this.#heardAt;
    // Whoever begins to watch closely gives the peer the whole time: it was not asked before.
    if (silence > heartbeat.interval) this.#heardAt = this.#clock.now() - heartbeat.interval;
    this.#arm(Math.max(0, heartbeat.interval - silence));
  }

  /** A HEARTBEAT ACK came. */
  onAnswer(info: Uint8Array): void {
    if (this.#asked === undefined || info.length !== 8) return;
    const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
    if (view.getUint32(0) !== this.#asked.nonce) return;
    const duration = this.#clock.now() - this.#asked.at;
    this.#asked = undefined;
    this.#events.onRoundTrip(duration);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(delay: number): void {
    this.#timer?.cancel();
    this.#dueAt = this.#clock.now() + delay;
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), delay, 'background');
  }

  #onTimer(): void {
    const now = this.#clock.now();
    const { interval, timeout } = this.#heartbeat;
    // A timer that is this late says that we were stopped: what the peer said meanwhile waits to be read.
    if (now - this.#dueAt > timeout / 4) this.#heardAt = Math.max(this.#heardAt, now - timeout / 2);
    const silence = now - this.#heardAt;
    if (silence >= timeout) {
      this.#events.onSilent();
      return;
    }
    if (silence < interval) {
      this.#arm(interval - silence);
      return;
    }
    const info = Buffer.alloc(8);
    const nonce = this.#random.identifier();
    info.writeUInt32BE(nonce, 0);
    this.#asked = { nonce, at: now };
    this.#events.onAsk(info);
    this.#arm(Math.min(interval, timeout - silence));
  }
}
