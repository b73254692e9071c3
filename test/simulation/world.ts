/** What everything in one simulation shares: the network, chance, the trace, the books, and how to fail. */

import { type CookieProtection, CookieSeal } from '../../lib/session/cookie-seal.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { TransportAddress } from '../../lib/transport/transport.js';
import { Dice } from './dice.js';
import { Health } from './health.js';
import { Ledger } from './ledger.js';
import type { Scenario } from './scenario.js';
import { Trace } from './trace.js';

/** The pool that all simulated elements belong to. */
export const poolName = 'echo';

/** The registrar's place, whichever process holds it. */
export const registrarAddress: TransportAddress = { host: '10.0.0.1', port: 3863 };

/** The name of the registrar in the books of health. */
export const registrarName = 'registrar';

/** A session's dialling of an element as a key. */
export function dialKey(sessionId: Uint8Array, element: number): string {
  return `${element}/${String.fromCharCode(...sessionId)}`;
}

/** The secrets that all elements share: half of them seal with the first, the others with the second. */
const secrets = ['the first secret of the pool', 'the second secret of the pool'];

/** What the business card of a user's session names. */
export function userIdentifier(session: number): number {
  return 1_000_000 + session;
}

/** A promise was broken: the message says which seed, when and what. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export class World {
  readonly scenario: Scenario;
  readonly network: MemoryNetwork;
  /** For what applications do; faults have dice of their own, so that a change of one leaves the other alone. */
  readonly dice: Dice;
  readonly trace: Trace;
  readonly health: Health;
  readonly ledger: Ledger;
  /** The first broken promise: thrown where it was found, and again by the loop should library code have caught it. */
  failure: InvariantError | undefined;
  /** Users send no more than they must, and end. */
  isEnding = false;
  /** A promise was settled: microtasks are to run before the next event. */
  microtasksDue = false;

  /** By dialKey: the last cookie that the user had got at each dialling. */
  readonly cookies: Map<string, (Uint8Array | undefined)[]> = new Map();
  /** Sessions that the application of an element has destroyed. */
  readonly destroyed: Set<number> = new Set();

  constructor(scenario: Scenario, print: ((line: string) => void) | undefined) {
    this.scenario = scenario;
    const { seed, fragment, latency, receiveBuffer } = scenario;
    const random = new Dice(seed ^ 0x51ed270b).random;
    this.network = new MemoryNetwork({ random, fragment, latency, receiveBuffer });
    this.dice = new Dice(seed ^ 0x2545f491);
    const now = (): number => this.network.time.now;
    this.trace = new Trace(now, print);
    this.health = new Health(now);
    this.ledger = new Ledger(now, (reason) => this.fail(reason));
  }

  /** What seals an element's cookies, and opens those of all. */
  seal(protection: CookieProtection, identifier: number): CookieSeal {
    const ordered = identifier % 2 === 0 ? secrets : [...secrets].reverse();
    return new CookieSeal({ secrets: ordered, protection, poolHandle: poolName, random: this.network.random });
  }

  /** What is in a cookie as users get it. Its text must not be there to read where it is encrypted. */
  openCookie(sealed: Uint8Array, sessionId: Uint8Array): Uint8Array {
    const { cookieProtection } = this.scenario;
    if (cookieProtection === undefined) return sealed;
    const opened = this.seal(cookieProtection, 0).open(sealed, sessionId);
    if (opened.type === 'refused') return this.fail(`a cookie came that cannot be opened: ${opened.reason}`);
    const readable = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).includes(Buffer.from(opened.cookie));
    if (readable !== (cookieProtection === 'signed')) this.fail('a cookie is not protected as it was to be');
    return opened.cookie;
  }

  get now(): number {
    return this.network.time.now;
  }

  fail(reason: string): never {
    const { seed } = this.scenario;
    this.failure ??= new InvariantError(`seed ${seed} at ${this.now.toFixed(3)} ms: ${reason}`);
    throw this.failure;
  }

  /** Runs every event up to `instant`, and between two events all microtasks. */
  async runUntil(instant: number): Promise<void> {
    const { time } = this.network;
    while (time.step(instant)) {
      if (this.microtasksDue) {
        this.microtasksDue = false;
        // What a settled promise causes takes at most three turns: the handler's own, then the session's.
        await undefined;
        await undefined;
        await undefined;
      }
      this.ledger.judgeEvent();
      if (this.failure !== undefined) throw this.failure;
    }
    time.advanceTo(instant);
  }
}
