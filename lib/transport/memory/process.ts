/** A simulated process: its own clock, its own sockets; it can be frozen (SIGSTOP), thawed (SIGCONT) and killed (SIGKILL). */

import type { Clock } from '../../clock.js';
import type { ByteStreamTransport, MulticastTransport } from '../transport.js';
import type { MemoryStream } from './stream.js';
import type { Surroundings } from './surroundings.js';
import type { ScheduledEvent } from './virtual-time.js';

export type ProcessState = 'running' | 'frozen' | 'dead';

export class MemoryProcess {
  readonly network: Surroundings;
  /** The IP address of the machine it runs on; several processes may share one. */
  readonly address: string;
  /** For traces. */
  readonly name: string;
  readonly clock: Clock;
  readonly transport: ByteStreamTransport;
  readonly multicast: MulticastTransport;
  readonly streams: Set<MemoryStream> = new Set();
  #state: ProcessState = 'running';
  /** What fell due while frozen: a thawed event loop runs its timers first, then reads its sockets. */
  #timersDue: (() => void)[] = [];
  #inputDue: (() => void)[] = [];
  #deferred: (() => void)[] = [];
  #running = false;
  #pendingTimers = 0;
  #failure: ((error: unknown) => void) | undefined;

  constructor(
    network: Surroundings,
    address: string,
    name: string,
    transports: { readonly stream: ByteStreamTransport; readonly multicast: MulticastTransport },
  ) {
    this.network = network;
    this.address = address;
    this.name = name;
    this.transport = transports.stream;
    this.multicast = transports.multicast;
    const { time } = network;
    this.clock = {
      now: () => time.now,
      wallTime: () => time.now,
      setTimeout: (fire, delay) => {
        let event: ScheduledEvent | undefined = time.schedule(Math.max(delay, 0.001), () =>
          this.dispatch('timer', once),
        );
        this.#pendingTimers++;
        const once = (): void => {
          if (event === undefined) return;
          event = undefined;
          this.#pendingTimers--;
          fire();
        };
        return {
          cancel: () => {
            if (event === undefined) return;
            event.run = undefined;
            event = undefined;
            this.#pendingTimers--;
          },
        };
      },
      defer: (run) => {
        this.#deferred.push(run);
        if (!this.#running && this.#deferred.length === 1) time.schedule(0, () => this.dispatch('input', () => {}));
      },
      nextTurn: (run) => void time.schedule(0, () => this.dispatch('input', run)),
    };
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Timers that run or fell due while it was frozen: what is left of them after everything was closed is a leak. */
  get pendingTimers(): number {
    return this.#pendingTimers;
  }

  /** Where an exception that escapes from the process's code goes; without it the simulation itself fails. */
  set onFailure(report: (error: unknown) => void) {
    this.#failure = report;
  }

  /** Runs code as the process would: now if it runs, at the thaw if it is frozen, never if it is dead. */
  dispatch(kind: 'timer' | 'input', run: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'frozen') {
      (kind === 'timer' ? this.#timersDue : this.#inputDue).push(run);
      return;
    }
    if (this.#running) {
      run();
      return;
    }
    this.#running = true;
    try {
      run();
      this.#runDeferred();
    } catch (error) {
      if (this.#failure === undefined) throw error;
      this.#failure(error);
    } finally {
      this.#running = false;
    }
  }

  #runDeferred(): void {
    // One that throws must not make those before it run again.
    for (let run = this.#deferred.shift(); run !== undefined; run = this.#deferred.shift()) run();
  }

  /** SIGSTOP: nothing of it runs; the system goes on to receive and acknowledge for it. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** SIGCONT: what fell due runs now, timers first. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const kind of ['timer', 'input'] as const) {
      const due = kind === 'timer' ? this.#timersDue : this.#inputDue;
      if (kind === 'timer') this.#timersDue = [];
      else this.#inputDue = [];
      for (const run of due) this.network.time.schedule(0, () => this.dispatch(kind, run));
    }
  }

  /** SIGKILL: its code never runs again; the system closes its sockets. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#timersDue = [];
    this.#inputDue = [];
    this.#deferred = [];
    this.network.closePortsOf(this.transport);
    for (const stream of [...this.streams]) stream.orphan();
  }
}
