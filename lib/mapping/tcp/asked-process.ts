/**
 * An element's process, as the idle connections of a user's process that go the same way know it together: one timer, and
 * one question at a time instead of one of each connection.
 *
 *   living --nothing heard of it for the idle time-out--> ending --all judged alone--> (gone)
 *      ^                                                    |
 *      +--------------- it is heard of again ---------------+
 *
 * The connections are asked in turn: one after each `heartbeatInterval` without a sign of the process, and each once in
 * `pathInterval`, since its own way may have been closed without a word. If the answer stays out for an eighth of the time
 * that is left to it, sixteen others are asked too, then sixteen times as many, and after half of that time all: where one
 * way is closed, its connection alone ends.
 */

import type { Clock, Timer } from '../../clock.js';
import type { FarProcess, ProcessMember } from './far-process.js';
import { isLate } from './liveness.js';
import { idleTimeout, type TcpMappingOptions } from './options.js';

export type SharedTimers = Pick<TcpMappingOptions, 'failureTimeout' | 'heartbeatInterval' | 'pathInterval'>;

/** Of the time from a question until the process is given up: when others are asked too. */
const shareOfRound = 8;
const growthOfRound = 16;
/** This round is to all. */
const lastRound = 4;
/** Milliseconds between two turns at least: several are asked in one. */
const shortestTurn = 100;
/** So many that should have had their turn before are asked in one turn. */
const overdueAtOnce = 64;
/** So many are given up before what has arrived meanwhile is read. */
const judgedAtOnce = 256;

export class AskedProcess implements FarProcess {
  readonly #clock: Clock;
  readonly #timers: SharedTimers;
  readonly #idleTimeout: number;
  readonly #onGone: () => void;
  /** When each had its turn last, the oldest first. */
  readonly #members = new Map<ProcessMember, number>();
  #state: 'living' | 'ending' = 'living';
  #aliveAt: number;
  /** Rounds of questions in this silence. */
  #rounds = 0;
  /** When the latest turn was due. */
  #turnsUntil: number;
  #timer: Timer | undefined;
  #timerDue = 0;
  /** The timer has fired late, and the sockets have not been read since. */
  #wasLate = false;

  /** `onGone`: who opens a connection from now on shares another one. */
  constructor(clock: Clock, timers: SharedTimers, onGone: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#idleTimeout = idleTimeout(timers);
    this.#onGone = onGone;
    this.#aliveAt = clock.now();
    this.#turnsUntil = this.#aliveAt;
  }

  get aliveAt(): number {
    return this.#aliveAt;
  }

  get isOverdue(): boolean {
    return this.#wasLate || (this.#timer !== undefined && this.#clock.now() > this.#timerDue + 1);
  }

  join(member: ProcessMember): void {
    const now = this.#clock.now();
    this.#members.set(member, now);
    this.#schedule(now);
  }

  leave(member: ProcessMember): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#onGone();
  }

  prove(at: number): void {
    if (at <= this.#aliveAt) return;
    this.#aliveAt = at;
    this.#rounds = 0;
  }

  /** When the next turn is due: at equal distances; where many have left, sooner. */
  get #nextTurn(): number {
    const { pathInterval } = this.#timers;
    const [oldest = Number.POSITIVE_INFINITY] = this.#members.values();
    const distance = Math.max(shortestTurn, pathInterval / this.#members.size);
    return Math.min(this.#turnsUntil + distance, Math.max(oldest + pathInterval, this.#turnsUntil + shortestTurn));
  }

  /** When the next round of questions is due. Few connections are asked in each: those asked before may have ended since. */
  get #nextRound(): number {
    if (this.#rounds > lastRound) return Number.POSITIVE_INFINITY;
    const { heartbeatInterval } = this.#timers;
    const round = (this.#idleTimeout - heartbeatInterval) / shareOfRound;
    return this.#aliveAt + heartbeatInterval + this.#rounds * Math.max(0, round);
  }

  #schedule(now: number): void {
    if (this.#state === 'ending' || this.#members.size === 0) return;
    const due = Math.min(this.#nextTurn, this.#nextRound, this.#aliveAt + this.#idleTimeout);
    if (this.#timer !== undefined) {
      // As with each connection's own: one that fires early finds out that there is nothing to do yet.
      if (this.#timerDue <= due) return;
      this.#timer.cancel();
    }
    this.#timerDue = Math.max(now, due);
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), due - now, 'background');
  }

  #onTimer(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    if (isLate(now, this.#timerDue, this.#timers.failureTimeout)) this.#excuse(now);
    else if (now >= this.#aliveAt + this.#idleTimeout) {
      this.#end();
      return;
    }
    if (now >= this.#nextRound) this.#askRound(now);
    if (now >= this.#nextTurn) this.#takeTurns(now);
    this.#schedule(now);
  }

  /** We were stopped ourselves: a question goes out at once, and its answer has all of its time. */
  #excuse(now: number): void {
    this.#wasLate = true;
    this.#clock.nextTurn(() => {
      this.#wasLate = false;
    });
    this.prove(now - this.#timers.heartbeatInterval);
    this.#turnsUntil = now;
  }

  #askRound(now: number): void {
    let left = this.#rounds === lastRound ? this.#members.size : growthOfRound ** this.#rounds;
    if (this.#rounds++ === 0) this.#takeTurns(now);
    else {
      for (const member of this.#members.keys()) {
        if (left-- === 0) return;
        member.askForAll();
      }
    }
  }

  /** Asks those whose turn has come, one at least. After a pause of ours, or when many have joined, it does not come to all at once. */
  #takeTurns(now: number): void {
    const { pathInterval } = this.#timers;
    const distance = pathInterval / this.#members.size;
    const passed = Math.min(now - this.#turnsUntil, 2 * Math.max(shortestTurn, distance));
    let due = Math.max(1, Math.floor(passed / distance));
    this.#turnsUntil = Math.min(now, Math.max(this.#turnsUntil + due * distance, now - shortestTurn));
    let overdue = overdueAtOnce;
    for (const [member, turnAt] of this.#members) {
      const isDue = turnAt < now && (due-- > 0 || (turnAt + pathInterval <= now && overdue-- > 0));
      if (!isDue) return;
      this.#members.delete(member);
      this.#members.set(member, now);
      member.ask();
    }
  }

  #end(): void {
    this.#state = 'ending';
    this.#onGone();
    // What has arrived meanwhile is read first.
    this.#clock.nextTurn(() => this.#judgeSome());
  }

  #judgeSome(): void {
    const now = this.#clock.now();
    if (now < this.#aliveAt + this.#idleTimeout) {
      this.#state = 'living';
      this.#schedule(now);
      return;
    }
    let left = judgedAtOnce;
    for (const member of this.#members.keys()) {
      if (left-- === 0) break;
      this.#members.delete(member);
      member.judgeAlone();
    }
    if (this.#members.size > 0) this.#clock.nextTurn(() => this.#judgeSome());
  }
}
