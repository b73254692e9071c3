/**
 * What the connections between two processes know together (docs/mappings.md, "Shared heartbeats"): that the other process
 * runs. One that is frozen, blocked or gone is so for all of its connections; so one answer speaks for all of them, and only
 * whether the way of each is open has to be asked of each.
 */

import type { Clock } from '../../clock.js';
import type { Random } from '../../random.js';
import type { TransportAddress } from '../../transport/transport.js';
import { AskedProcess } from './asked-process.js';
import type { FarProcess, ProcessMember } from './far-process.js';
import type { SharedProcess } from './hello.js';
import { type TcpMappingOptions, userTimeout } from './options.js';

/** A user's process, as its element knows it: it is never asked, and each connection has its own timer. */
class UserProcess implements FarProcess {
  readonly isOverdue = false;
  readonly members: Set<ProcessMember> = new Set();
  readonly #onLeft: () => void;
  #aliveAt: number;

  constructor(now: number, onLeft: () => void) {
    this.#aliveAt = now;
    this.#onLeft = onLeft;
  }

  get aliveAt(): number {
    return this.#aliveAt;
  }

  prove(at: number): void {
    this.#aliveAt = Math.max(this.#aliveAt, at);
  }

  leave(member: ProcessMember): void {
    this.members.delete(member);
    if (this.members.size === 0) this.#onLeft();
  }
}

/** The two ends of a byte stream. */
interface Ends {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
}

/** The other processes that this one has connections with. One object for all that runs on one clock and stops together. */
export class PeerProcesses {
  /** What this process calls itself in its hellos: 64 random bits. */
  readonly identifier: bigint;
  readonly #clock: Clock;
  readonly #users = new Map<bigint, UserProcess>();
  readonly #elements = new Map<string, AskedProcess>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.identifier = (BigInt(random.identifier()) << 32n) | BigInt(random.identifier());
  }

  /** What our hello says of this process; undefined: with these timers nothing is shared. */
  describe({ heartbeatInterval, pathInterval }: TcpMappingOptions): SharedProcess | undefined {
    return pathInterval > heartbeatInterval ? { identifier: this.identifier, pathInterval } : undefined;
  }

  /** A connection is open, with an element or a user whose hello said `process`: what both sides share, they share. */
  join(
    whose: 'element' | 'user',
    member: ProcessMember,
    process: SharedProcess | undefined,
    ends: Ends,
    options: TcpMappingOptions,
  ): void {
    if (process === undefined || this.describe(options) === undefined) return;
    if (whose === 'element') this.#joinElement(member, process, ends, options);
    else this.#joinUser(member, process, options);
  }

  /** Those that share go the same way and have the same timers: what one way cannot tell of another, none takes for granted. */
  #joinElement(member: ProcessMember, { identifier }: SharedProcess, ends: Ends, options: TcpMappingOptions): void {
    const { failureTimeout, heartbeatInterval, pathInterval } = options;
    const { host, port, protocol } = ends.remoteAddress;
    const way = [identifier, host, port, protocol, ends.localAddress.host];
    const key = [...way, failureTimeout, heartbeatInterval, pathInterval].join(' ');
    let element = this.#elements.get(key);
    if (element === undefined) {
      const made = new AskedProcess(this.#clock, options, () => {
        if (this.#elements.get(key) === made) this.#elements.delete(key);
      });
      this.#elements.set(key, made);
      element = made;
    }
    member.share(element, Number.POSITIVE_INFINITY);
    element.join(member);
  }

  /**
   * Which of its connections a user asks by is the user's choice, so they all count, whatever way they go; but none may be
   * silent for longer than three of the user's path intervals.
   */
  #joinUser(member: ProcessMember, { identifier, pathInterval }: SharedProcess, options: TcpMappingOptions): void {
    let user = this.#users.get(identifier);
    if (user === undefined) {
      user = new UserProcess(this.#clock.now(), () => this.#users.delete(identifier));
      this.#users.set(identifier, user);
    }
    user.members.add(member);
    member.share(user, userTimeout(options, pathInterval));
  }
}
