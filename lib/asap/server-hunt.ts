/**
 * The ENRP server hunt (RFC 5352 section 3.6, SH1 to SH6): finds a registrar that accepts a connection. It goes on,
 * round after round, until one is found or `stop` is called.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import type { Random } from '../random.js';
import {
  type Attempt,
  type ByteStream,
  type ByteStreamHandler,
  type ByteStreamTransport,
  formatAddress,
  type TransportAddress,
} from '../transport/transport.js';
import type { AsapTimers } from './options.js';
import type { ServerList } from './server-list.js';

/** SH1: "no more than three". */
const maxAttempts = 3;

/** What a round did at each registrar that it tried: for the error that a request ends with. */
export type HuntFailures = ReadonlyMap<string, Error>;

export interface ServerHuntCallbacks {
  /** SH6: this registrar is connected; the hunt is over. Returns the stream's handler. */
  onFound(stream: ByteStream, server: TransportAddress): ByteStreamHandler;
  /** Every registrar refused, or T5 expired; the next round follows by itself. */
  onRoundFailed(failures: HuntFailures): void;
}

export interface ServerHuntOptions {
  readonly servers: ServerList;
  /** Registrars may announce themselves: as long as none is known, a round waits for that. */
  readonly awaitsAnnouncements: boolean;
  readonly transport: ByteStreamTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: AsapTimers;
}

const roundStarted = diagnosticEvent<{ servers: readonly string[]; huntTimeout: number }>('asap', 'hunt-started');
const attemptFailed = diagnosticEvent<{ server: string; error: Error }>('asap', 'hunt-attempt-failed');

interface RunningAttempt {
  readonly server: TransportAddress;
  readonly attempt: Attempt;
}

export class ServerHunt {
  readonly #options: ServerHuntOptions;
  readonly #callbacks: ServerHuntCallbacks;
  /** 'connecting': a round is under way; 'waiting': between two rounds. */
  #state: 'stopped' | 'connecting' | 'waiting' = 'stopped';
  /** T5-Serverhunt at present. */
  #huntTimeout: number;
  #backoff: number;
  /** Where in the list the next round begins: SH5.2 wants a different set of addresses. */
  #next = 0;
  /** Registrars that left a request unanswered, and until when that counts: tried after the others. */
  readonly #suspects = new Map<string, number>();
  #candidates: TransportAddress[] = [];
  #heldBack: TransportAddress[] = [];
  /** Those that this round tries or has tried. */
  readonly #listed = new Set<string>();
  /** Counts the rounds: names that an earlier one has looked up are late. */
  #round = 0;
  #lookingUp = false;
  readonly #attempts = new Set<RunningAttempt>();
  #failures = new Map<string, Error>();
  #timers: Timer[] = [];

  constructor(options: ServerHuntOptions, callbacks: ServerHuntCallbacks) {
    this.#options = options;
    this.#callbacks = callbacks;
    this.#huntTimeout = options.timers.huntTimeout;
    this.#backoff = options.timers.huntBackoff;
  }

  get running(): boolean {
    return this.#state !== 'stopped';
  }

  /** The failures of the last round that failed. */
  get failures(): HuntFailures {
    return this.#failures;
  }

  /** Starts a round, unless one is under way. `last`: the registrar that just failed us, tried after the others. */
  start(last?: TransportAddress): void {
    if (this.#state === 'stopped') this.#startRound(last);
  }

  /**
   * As `start`, after a registrar accepted a connection and ended it without an answer (it is full, or does not like
   * us): other ones are tried at once; where there is none, it is tried again after a wait that grows.
   */
  startAfterRefusal(server: TransportAddress, error: Error): void {
    if (this.#state !== 'stopped') return;
    this.suspect(server);
    if (this.#options.servers.addresses.some((other) => !this.#isSuspected(other))) {
      this.#startRound(server);
      return;
    }
    this.#failures = new Map();
    this.#fail(formatAddress(server), error);
    this.#onAllFailed();
  }

  /** Gives up all attempts. */
  stop(): void {
    this.#endRound();
    this.#state = 'stopped';
  }

  /** The registrar accepted a connection but leaves requests unanswered. */
  suspect(server: TransportAddress): void {
    this.#suspects.set(formatAddress(server), this.#options.clock.now() + this.#options.timers.maxHuntTimeout);
  }

  /** The registrar answered: T5, the backoff and suspicion begin anew. */
  trust(server: TransportAddress): void {
    this.#suspects.delete(formatAddress(server));
    this.#backoff = this.#options.timers.huntBackoff;
  }

  /** A registrar announced itself that was not known: it is tried at once, if anybody looks for one. */
  onServerAdded(): void {
    if (this.#state === 'waiting') this.#nextRound();
    else if (this.#state === 'connecting' && !this.#lookingUp) this.#list();
  }

  #startRound(last?: TransportAddress): void {
    const { servers, timers } = this.#options;
    const round = ++this.#round;
    this.#state = 'connecting';
    this.#failures = new Map();
    this.#listed.clear();
    this.#arm(() => this.#onTimeout(), this.#huntTimeout);
    this.#lookingUp = servers.hasNames;
    if (!this.#lookingUp) {
      this.#list(last);
      return;
    }
    servers.lookUp((failures) => {
      if (round !== this.#round) return;
      this.#lookingUp = false;
      for (const [name, error] of failures) this.#fail(name, error);
      this.#list(last);
    });
    // A name server that does not answer must not keep us from what is known.
    if (this.#lookingUp) this.#arm(() => this.#list(last), timers.suspectDelay);
  }

  /** Adds the registrars that are known now and that this round has not listed yet. */
  #list(last?: TransportAddress): void {
    const { clock, timers } = this.#options;
    const { addresses } = this.#options.servers;
    const ordered = addresses.map((_, i) => addresses[(this.#next + i) % addresses.length] as TransportAddress);
    const lastKey = last === undefined ? undefined : formatAddress(last);
    ordered.sort((a, b) => Number(formatAddress(a) === lastKey) - Number(formatAddress(b) === lastKey));
    const fresh = ordered.filter((server) => !this.#listed.has(formatAddress(server)));
    for (const server of fresh) this.#listed.add(formatAddress(server));
    this.#candidates.push(...fresh.filter((server) => !this.#isSuspected(server)));
    const heldBack = fresh.filter((server) => this.#isSuspected(server));
    this.#heldBack.push(...heldBack);
    if (this.#candidates.length === 0 && this.#attempts.size === 0) {
      this.#candidates.push(...this.#heldBack);
      this.#heldBack = [];
    } else if (heldBack.length > 0) {
      this.#arm(() => this.#releaseHeldBack(), timers.suspectDelay);
    }
    if (roundStarted.watched) {
      roundStarted.publish({ servers: fresh.map(formatAddress), huntTimeout: this.#huntTimeout });
    }
    // Not at once: whoever started the hunt is still in the middle of its own business.
    const round = this.#round;
    clock.defer(() => round === this.#round && this.#attemptMore());
  }

  #isSuspected(server: TransportAddress): boolean {
    return (this.#suspects.get(formatAddress(server)) ?? 0) > this.#options.clock.now();
  }

  #releaseHeldBack(): void {
    this.#candidates.push(...this.#heldBack);
    this.#heldBack = [];
    this.#attemptMore();
  }

  #attemptMore(): void {
    while (this.#state === 'connecting' && this.#attempts.size < maxAttempts) {
      const server = this.#candidates.shift();
      if (server === undefined) break;
      this.#connect(server);
    }
    if (this.#state !== 'connecting' || this.#attempts.size > 0) return;
    if (this.#heldBack.length > 0) this.#releaseHeldBack();
    else if (this.#candidates.length === 0 && !this.#mayLearnMore()) this.#onAllFailed();
  }

  /** Whether there may soon be registrars that this round does not know yet. */
  #mayLearnMore(): boolean {
    return (
      this.#lookingUp || (this.#options.awaitsAnnouncements && this.#listed.size === 0 && this.#failures.size === 0)
    );
  }

  #connect(server: TransportAddress): void {
    const { transport, servers } = this.#options;
    const { addresses } = servers;
    const key = formatAddress(server);
    this.#next = (addresses.findIndex((other) => formatAddress(other) === key) + 1) % Math.max(1, addresses.length);
    const running: RunningAttempt = {
      server,
      attempt: transport.connect(server, {
        onOpen: (stream) => {
          this.#attempts.delete(running);
          return this.#onFound(stream, server);
        },
        onError: (error) => {
          this.#attempts.delete(running);
          this.#fail(key, error);
          this.#attemptMore();
        },
      }),
    };
    this.#attempts.add(running);
  }

  #fail(server: string, error: Error): void {
    this.#failures.set(server, error);
    if (attemptFailed.watched) attemptFailed.publish({ server, error });
  }

  #onFound(stream: ByteStream, server: TransportAddress): ByteStreamHandler {
    this.stop();
    this.#huntTimeout = this.#options.timers.huntTimeout;
    return this.#callbacks.onFound(stream, server);
  }

  /** Nobody accepts: T5 is for time-outs, so the next round follows after a short wait that grows. */
  #onAllFailed(): void {
    const { random, timers } = this.#options;
    this.#endRound();
    this.#state = 'waiting';
    this.#next = 0;
    // Half of the wait is chance: many endpoints lose the same registrar at the same instant.
    const wait = this.#backoff * (0.5 + random.uniform() / 2);
    this.#backoff = Math.min(this.#backoff * 2, timers.maxHuntBackoff);
    this.#arm(() => this.#nextRound(), wait);
    this.#callbacks.onRoundFailed(this.#failures);
  }

  /** SH5: T5 expired. */
  #onTimeout(): void {
    for (const { server } of this.#attempts) {
      const error = new Error(
        `connect ETIMEDOUT ${formatAddress(server)}: T5-Serverhunt expired after ${this.#huntTimeout} ms`,
      );
      this.#fail(formatAddress(server), Object.assign(error, { code: 'ETIMEDOUT' }));
    }
    this.#endRound();
    this.#huntTimeout = Math.min(this.#huntTimeout * 2, this.#options.timers.maxHuntTimeout);
    this.#state = 'waiting';
    this.#callbacks.onRoundFailed(this.#failures);
    // The callback may have stopped the hunt.
    if (this.#state === 'waiting') this.#nextRound();
  }

  #nextRound(): void {
    this.#endRound();
    this.#startRound();
  }

  #endRound(): void {
    this.#round++;
    this.#lookingUp = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    for (const { attempt } of this.#attempts) attempt.cancel();
    this.#attempts.clear();
    this.#candidates = [];
    this.#heldBack = [];
  }

  /** Background: whoever waits for a registrar has a deadline of its own that keeps the process alive. */
  #arm(run: () => void, delay: number): void {
    this.#timers.push(this.#options.clock.setTimeout(run, delay, 'background'));
  }
}
