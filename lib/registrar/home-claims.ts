/**
 * Elements that have become ours by a takeover (RFC 5353 section 3.5.2 step 2): each is called at its ASAP transport
 * and sent a keep-alive with H, so that it adopts this registrar as its home (RFC 5352 section 3.4 KA2.4). It then
 * registers over that very connection. One that does not answer is dead like its home server, and is removed.
 */

import type { Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { Attempt, ByteStream } from '../transport/transport.js';
import type { EndpointKeepAliveAck } from '../wire/messages.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { RegistrarConnection } from './connection.js';
import { asapTarget, elementKey } from './keep-alives.js';
import type { RegistrarSettings } from './options.js';
import type { Registrations } from './registrations.js';

export interface HomeClaimsSurroundings {
  readonly settings: RegistrarSettings;
  readonly handlespace: Handlespace;
  readonly registrations: Registrations;
  /** Serves ASAP on a connection that we dialled, as on any other; sets its handler. */
  serve(stream: ByteStream): RegistrarConnection;
}

/** The elements of one takeover; those before `next` have been called. */
interface Waiting {
  readonly entries: readonly HandlespaceEntry[];
  next: number;
}

interface Claim {
  readonly entry: HandlespaceEntry;
  attempt: Attempt | undefined;
  connection: RegistrarConnection | undefined;
  timer: Timer | undefined;
}

const ended = diagnosticEvent<{ poolHandle: string; identifier: number; outcome: string }>('registrar', 'claim-ended');

export class HomeClaims {
  readonly #around: HomeClaimsSurroundings;
  /** Elements that are to be called when there is room, by the takeover that they came with: each has its turn. */
  #waiting: Waiting[] = [];
  readonly #calling = new Map<string, Claim>();

  constructor(around: HomeClaimsSurroundings) {
    this.#around = around;
  }

  /** Elements that have not been heard of yet. */
  get size(): number {
    return this.#waiting.reduce((sum, { entries, next }) => sum + entries.length - next, this.#calling.size);
  }

  claim(entries: readonly HandlespaceEntry[]): void {
    if (entries.length > 0) this.#waiting.push({ entries, next: 0 });
    this.#callMore();
  }

  /** Returns whether it answers a call of ours. */
  onAck(connection: RegistrarConnection, { poolHandle, peIdentifier }: EndpointKeepAliveAck): boolean {
    const claim = this.#calling.get(elementKey(poolHandle, peIdentifier));
    if (claim === undefined || claim.connection !== connection) return false;
    if (this.#isDue(claim.entry)) this.#around.registrations.adopt(claim.entry, connection);
    this.#end(claim, 'answered');
    return true;
  }

  /** A connection closed, which may be one of ours. */
  onClosed(connection: RegistrarConnection): void {
    for (const claim of this.#calling.values()) {
      if (claim.connection !== connection) continue;
      this.#fail(claim, 'the connection closed');
      return;
    }
  }

  close(): void {
    this.#waiting = [];
    for (const claim of this.#calling.values()) {
      claim.timer?.cancel();
      claim.timer = undefined;
      claim.attempt?.cancel();
    }
    this.#calling.clear();
  }

  /** One of each takeover in turn: elements that a liar made up before it left must not keep those of others waiting. */
  #callMore(): void {
    const { limits } = this.#around.settings;
    while (this.#calling.size < limits.maxDialledProbes) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      const entry = waiting.entries[waiting.next++];
      if (waiting.next < waiting.entries.length) this.#waiting.push(waiting);
      if (entry !== undefined && this.#isDue(entry)) this.#call(entry);
    }
  }

  /** Still in the handlespace, still ours, and it has not come by itself. */
  #isDue(entry: HandlespaceEntry): boolean {
    const { settings, handlespace, registrations } = this.#around;
    if (entry.owner !== settings.serverId || registrations.isConnected(entry)) return false;
    return handlespace.entry(entry.poolHandle, entry.identifier) === entry;
  }

  #call(entry: HandlespaceEntry): void {
    const { transport, clock, serverId } = this.#around.settings;
    const { poolHandle, identifier } = entry;
    const key = elementKey(poolHandle, identifier);
    if (this.#calling.has(key)) return;
    const claim: Claim = { entry, attempt: undefined, connection: undefined, timer: undefined };
    this.#calling.set(key, claim);
    const target = asapTarget(entry);
    if (target === undefined) {
      clock.defer(() => this.#fail(claim, 'no ASAP transport that can be dialled'));
      return;
    }
    this.#awaitAnswer(claim);
    claim.attempt = transport.connect(target, {
      onOpen: (stream) => {
        claim.attempt = undefined;
        const connection = this.#around.serve(stream);
        claim.connection = connection;
        if (!connection.channel.open) {
          // No room for one more connection of ours says nothing about the element.
          this.#end(claim, 'too many connections');
          this.#around.registrations.verify(entry);
          return stream.handler;
        }
        connection.send({ type: 'endpointKeepAlive', home: true, serverId, poolHandle, peIdentifier: identifier });
        return stream.handler;
      },
      onError: (error) => this.#fail(claim, error.message),
    });
  }

  #awaitAnswer(claim: Claim): void {
    const { clock, timers } = this.#around.settings;
    const due = clock.now() + timers.keepAliveTimeout;
    const onDue = (): void => {
      // A process that was frozen or busy runs its timers before it reads what has been waiting for it.
      clock.nextTurn(() => {
        if (claim.timer !== timer) return;
        // It was we who were away: the element has not had its time.
        if (clock.now() - due > timers.keepAliveTimeout / 2) this.#awaitAnswer(claim);
        else this.#fail(claim, 'no answer');
      });
    };
    const timer = clock.setTimeout(onDue, timers.keepAliveTimeout, 'background');
    claim.timer = timer;
  }

  #fail(claim: Claim, reason: string): void {
    const { handlespace } = this.#around;
    const { entry, connection } = claim;
    if (this.#isDue(entry)) handlespace.remove(entry.poolHandle, entry.identifier, 'unreachable');
    connection?.channel.close();
    this.#end(claim, reason);
  }

  #end(claim: Claim, outcome: string): void {
    const { poolHandle, identifier } = claim.entry;
    claim.timer?.cancel();
    claim.timer = undefined;
    claim.attempt?.cancel();
    const key = elementKey(poolHandle, identifier);
    if (this.#calling.get(key) === claim) this.#calling.delete(key);
    if (ended.watched) ended.publish({ poolHandle: poolHandleText(poolHandle), identifier, outcome });
    this.#callMore();
  }
}
