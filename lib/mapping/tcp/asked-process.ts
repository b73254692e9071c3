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
 * that is left to it, all others are asked too, evenly until the time at which each would have asked alone: where one way is
 * closed, its connection alone ends, and where the process has failed, its connections do not leave it all at once.
 */

import type { Clock, Timer } from '../../clock.js';
import type { FarProcess, ProcessMember } from './far-process.js';
import { isLate } from './liveness.js';
import { idleTimeout, type TcpMappingOptions } from './options.js';

export type SharedTimers = Pick<TcpMappingOptions, 'failureTimeout' | 'heartbeatInterval' | 'pathInterval'>;

const never = Number.POSITIVE_INFINITY;
/** Of the time from a question until the process is given up: when others are asked too. */
const shareOfDoubt = 8;
/** And when all have been asked at the latest. */
const shareOfAsking = 2;
/** Of the time until others are asked: from one question to them to the next, at least. */
const shareOfStep = 4;
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
  /** The first question since the process was heard of, and how many of those that are left were asked since. */
  #questionAt = never;
  #asked = 0;
  #doubtedAt = 0;
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
    const turnAt = this.#members.get(member);
    if (turnAt === undefined) return;
    if (turnAt >= this.#questionAt) this.#asked--;
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#onGone();
  }

  prove(at: number): void {
    if (at <= this.#aliveAt) return;
    this.#aliveAt = at;
    this.#questionAt = never;
    this.#asked = 0;
  }

  /** When the next turn is due: at equal distances; where many have left, sooner. */
  get #nextTurn(): number {
    const { pathInterval } = this.#timers;
    const [oldest = Number.POSITIVE_INFINITY] = this.#members.values();
    const distance = Math.max(shortestTurn, pathInterval / this.#members.size);
    return Math.min(this.#turnsUntil + distance, Math.max(oldest + pathInterval, this.#turnsUntil + shortestTurn));
  }

  /** When somebody is to be asked, whoever had a turn lately. */
  get #nextQuestion(): number {
    return this.#questionAt === never ? this.#aliveAt + this.#timers.heartbeatInterval : never;
  }

  /** How long (ms) an answer may take that comes in time. */
  get #slack(): number {
    return Math.max(0, this.#idleTimeout - this.#timers.heartbeatInterval);
  }

  /** When others are asked too, while there are any that were not asked since the first question. */
  get #nextDoubt(): number {
    const [oldest = never] = this.#members.values();
    if (oldest >= this.#questionAt || this.#questionAt === never) return never;
    const wait = this.#slack / shareOfDoubt;
    return Math.max(this.#questionAt + wait, this.#doubtedAt + wait / shareOfStep);
  }

  #schedule(now: number): void {
    if (this.#state === 'ending' || this.#members.size === 0) return;
    const questions = Math.min(this.#nextTurn, this.#nextQuestion, this.#nextDoubt);
    const due = Math.min(questions, this.#aliveAt + this.#idleTimeout);
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
    if (now >= Math.min(this.#nextTurn, this.#nextQuestion)) this.#takeTurns(now);
    if (now >= this.#nextDoubt) this.#askOthers(now);
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

  /** As many of those that were not asked since the first question as is even. */
  #askOthers(now: number): void {
    const { heartbeatInterval } = this.#timers;
    const end = Math.max(this.#aliveAt + heartbeatInterval, this.#questionAt + this.#slack / shareOfAsking);
    const step = this.#slack / shareOfDoubt / shareOfStep;
    const others = this.#members.size - this.#asked;
    let due = end - now <= step ? others : Math.ceil((others * step) / (end - now));
    this.#doubtedAt = now;
    for (const [member, turnAt] of this.#members) {
      if (due-- <= 0 || turnAt >= this.#questionAt) return;
      this.#ask(member, now);
    }
  }

  #ask(member: ProcessMember, now: number): void {
    const turnAt = this.#members.get(member) ?? now;
    if (this.#questionAt === never || turnAt < this.#questionAt) this.#asked++;
    if (this.#questionAt === never) this.#questionAt = now;
    this.#members.delete(member);
    this.#members.set(member, now);
    member.ask();
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
      this.#ask(member, now);
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
