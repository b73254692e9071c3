/** Keeps the books of every message and judges what happens to it. */

import { type Payload, payloadKind } from './payload.js';

/** One message of a user, from its sending to its end. */
export interface Entry {
  readonly sequence: number;
  readonly kind: number;
  readonly sentAt: number;
  readonly size: number;
  /** How many elements the session had left when it was sent. */
  readonly leftBefore: number;
  /** It may be sent again to another element. */
  readonly failover: boolean;
  /** The user left an element of its own free will while this was under way: that element may still begin it. */
  leftByWish: boolean;
  /** The caller no longer waits for the answer. */
  abandoned: boolean;
  /** The user's session says that it left for an element that was left since. */
  marked: boolean;
  state: 'outstanding' | 'acknowledged' | 'failed';
  begunUnmarked: number;
  begunMarked: number;
  finished: number;
  lastAnswers: number;
  /** Parts of the answer that came over the connection `partsFrom`. */
  parts: number;
  partsFrom: number;
}

/** One session of a user. */
export interface Account {
  readonly index: number;
  readonly entries: Entry[];
  outstanding: number;
  /** Every entry before this one is settled. */
  settledBefore: number;
  /** How many elements the session has left so far. */
  left: number;
}

type Fail = (reason: string) => never;

export class Ledger {
  readonly accounts: Account[] = [];
  readonly #fail: Fail;
  readonly #now: () => number;
  /** Messages that users know to be taken. */
  taken = 0;
  /** Messages that element handlers finished. */
  executed = 0;
  /** Requests known to be taken whose last answer has not been seen: it must come within the same event. */
  #unanswered: Entry[] = [];

  constructor(now: () => number, fail: Fail) {
    this.#now = now;
    this.#fail = fail;
  }

  open(): Account {
    const account: Account = { index: this.accounts.length, entries: [], outstanding: 0, settledBefore: 0, left: 0 };
    this.accounts.push(account);
    return account;
  }

  sent(account: Account, kind: number, size: number, failover: boolean): Entry {
    const entry: Entry = {
      sequence: account.entries.length + 1,
      kind,
      sentAt: this.#now(),
      size,
      leftBefore: account.left,
      failover,
      leftByWish: false,
      abandoned: false,
      marked: false,
      state: 'outstanding',
      begunUnmarked: 0,
      begunMarked: 0,
      finished: 0,
      lastAnswers: 0,
      parts: 0,
      partsFrom: 0,
    };
    account.entries.push(entry);
    account.outstanding++;
    return entry;
  }

  /** An element begins to execute a message. */
  begin(payload: Payload, redelivered: boolean): Entry {
    const account = this.accounts[payload.session];
    const entry = account?.entries[payload.number - 1];
    if (account === undefined || entry === undefined)
      return this.#fail(`session ${payload.session} never sent message ${payload.number}`);
    const which = `message ${entry.sequence} of session ${payload.session}`;
    if (redelivered) {
      if (entry.leftBefore === account.left)
        this.#fail(`${which} is marked redelivered, and was sent to one element only`);
      if (!entry.failover) this.#fail(`${which} was sent again, against its sender's wish`);
      entry.begunMarked++;
    } else {
      if (entry.begunUnmarked > 0) this.#fail(`${which} was executed twice without a mark`);
      if (entry.begunMarked > 0 && !entry.leftByWish) this.#fail(`${which} began unmarked after it was redelivered`);
      entry.begunUnmarked++;
    }
    return entry;
  }

  /** An element's handler has come to its end. */
  finish(entry: Entry): void {
    entry.finished++;
    this.executed++;
  }

  /** The user learns what became of its message. */
  settle(account: Account, entry: Entry, error: Error | undefined): void {
    const which = `message ${entry.sequence} of session ${account.index}`;
    if (entry.state !== 'outstanding') this.#fail(`${which} was settled twice`);
    account.outstanding--;
    if (error === undefined) {
      if (entry.finished === 0) this.#fail(`${which} was acknowledged before any handler had finished it`);
      entry.state = 'acknowledged';
      this.taken++;
      if (entry.kind !== payloadKind.oneWay && entry.lastAnswers === 0) this.#unanswered.push(entry);
    } else entry.state = 'failed';
    while (
      account.entries[account.settledBefore]?.state !== 'outstanding' &&
      account.settledBefore < account.entries.length
    )
      account.settledBefore++;
  }

  /** The user sees an answer; `last` as the session says; `connection` counts the elements that the session was at. */
  answer(account: Account, payload: Payload, last: boolean, connection: number): void {
    const entry = account.entries[payload.number - 1];
    const which = `message ${payload.number} of session ${account.index}`;
    if (payload.session !== account.index || entry === undefined) {
      this.#fail(`an answer to ${which}, not its own`);
      return;
    }
    if (entry.lastAnswers > 0) this.#fail(`an answer to ${which} after its last answer`);
    if (entry.partsFrom !== connection) {
      entry.partsFrom = connection;
      entry.parts = 0;
    }
    if (payload.part !== entry.parts)
      this.#fail(`part ${payload.part} of the answer to ${which} instead of ${entry.parts}`);
    entry.parts++;
    if (!last) return;
    entry.lastAnswers++;
    if (entry.state !== 'acknowledged') this.#fail(`${which} is answered but not acknowledged`);
  }

  /** The session marks these as redelivered. Returns how many it had not marked before. */
  mark(account: Account, messages: readonly { readonly sequence: number }[]): number {
    let newly = 0;
    for (const { sequence } of messages) {
      const entry = account.entries[sequence - 1] as Entry;
      if (!entry.marked) newly++;
      entry.marked = true;
    }
    return newly;
  }

  /** An event is over. */
  judgeEvent(): void {
    if (this.#unanswered.length === 0) return;
    for (const entry of this.#unanswered) {
      if (entry.lastAnswers === 0) this.#fail(`request ${entry.sequence} was acknowledged before its answer came`);
    }
    this.#unanswered = [];
  }

  /** A session is over: `handedBack` are the sequences that it gave back. */
  close(account: Account, inOrder: boolean, handedBack: readonly number[]): void {
    const back = new Set(handedBack);
    if (back.size !== handedBack.length) this.#fail(`session ${account.index} handed a message back twice`);
    for (const entry of account.entries) {
      const which = `message ${entry.sequence} of session ${account.index}`;
      if (entry.state === 'outstanding') this.#fail(`${which} is neither acknowledged nor given up at the close`);
      if (entry.state === 'failed' && entry.failover && !entry.abandoned && !back.has(entry.sequence))
        this.#fail(`${which} was given up but not handed back`);
      if (entry.state === 'acknowledged' && back.has(entry.sequence))
        this.#fail(`${which} was acknowledged and handed back`);
    }
    if (inOrder && back.size > 0)
      this.#fail(`session ${account.index} closed in order with ${back.size} messages left`);
  }
}
