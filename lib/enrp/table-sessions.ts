/** The mentor's side of handle tables (RFC 5353 sections 3.2.3 and 3.6.3): sends them in parts, one a request. */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import { encodeTable } from '../wire/enrp.js';
import type { HandleTableRequest } from '../wire/messages.js';
import { padded } from '../wire/parameter-reader.js';
import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import { encodePoolElement } from '../wire/pool-element.js';
import type { EnrpChannel } from './enrp-channel.js';
import type { EnrpLimits, EnrpTimers } from './options.js';

export interface TableSessionsSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  readonly limits: EnrpLimits;
  readonly handlespace: Handlespace;
  /** False while our own handlespace is being initialised: every request is rejected. */
  isReady(): boolean;
}

/** The elements of one pool in a part of a table, as bytes and as data. */
interface Part {
  readonly poolHandle: PoolHandle;
  readonly poolElements: Uint8Array[];
  readonly elements: PoolElement[];
}

interface Session {
  readonly ownChildrenOnly: boolean;
  /** The progress of the session. It survives changes: what is removed is left out, what is added is sent. */
  readonly entries: Iterator<HandlespaceEntry>;
  /** Read from `entries` and not sent yet. */
  next: HandlespaceEntry | undefined;
  timer: Timer | undefined;
}

const rejected = diagnosticEvent<{ peer: string; reason: string }>('enrp', 'table-rejected');
const completed = diagnosticEvent<{ peer: string; ownChildrenOnly: boolean }>('enrp', 'table-sent');

/** Header, identifiers and room for the padding of one part. */
const overhead = 16;

export class TableSessions {
  readonly #around: TableSessionsSurroundings;
  /** By connection: with it a session ends, so that a far side that begins anew gets all of it. */
  readonly #sessions = new Map<EnrpChannel, Session>();

  constructor(around: TableSessionsSurroundings) {
    this.#around = around;
  }

  /** Sessions under way. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Answers a request with the next part, or the first. */
  answer(channel: EnrpChannel, request: HandleTableRequest): void {
    const { clock, timers } = this.#around;
    const { senderId, ownChildrenOnly } = request;
    const session = this.#sessionFor(channel, request);
    if (session === undefined) return;
    session.timer?.cancel();
    const parts = this.#nextPart(session);
    const moreToSend = session.next !== undefined;
    const facts = { senderId: this.#around.serverId, receiverId: senderId, moreToSend, rejected: false };
    channel.sendEncoded(encodeTable({ ...facts, poolEntries: parts }), () => ({
      type: 'handleTableResponse',
      ...facts,
      poolEntries: parts.map(({ poolHandle, elements }) => ({ poolHandle, poolElements: elements })),
    }));
    if (moreToSend) {
      session.timer = clock.setTimeout(() => this.end(channel), timers.maxTimeNoResponse, 'background');
    } else {
      this.end(channel);
      if (completed.watched) completed.publish({ peer: formatIdentifier(senderId), ownChildrenOnly });
    }
  }

  /** Frees what belongs to the connection's session, if there is one. */
  end(channel: EnrpChannel): void {
    this.#sessions.get(channel)?.timer?.cancel();
    this.#sessions.delete(channel);
  }

  close(): void {
    for (const channel of [...this.#sessions.keys()]) this.end(channel);
  }

  #sessionFor(channel: EnrpChannel, request: HandleTableRequest): Session | undefined {
    const { limits, isReady } = this.#around;
    if (!isReady()) return this.#reject(channel, request, 'our handlespace is being initialised');
    const present = this.#sessions.get(channel);
    if (present?.ownChildrenOnly === request.ownChildrenOnly) return present;
    this.end(channel);
    if (this.#sessions.size >= limits.maxTableSessions) return this.#reject(channel, request, 'too many downloads');
    const entries = this.#entries(request.ownChildrenOnly);
    const session: Session = { ownChildrenOnly: request.ownChildrenOnly, entries, next: undefined, timer: undefined };
    this.#advance(session);
    this.#sessions.set(channel, session);
    return session;
  }

  #reject(channel: EnrpChannel, { senderId }: HandleTableRequest, reason: string): undefined {
    if (rejected.watched) rejected.publish({ peer: formatIdentifier(senderId), reason });
    channel.send({
      type: 'handleTableResponse',
      senderId: this.#around.serverId,
      receiverId: senderId,
      moreToSend: false,
      rejected: true,
      poolEntries: [],
    });
  }

  /** As many entries as a part holds: one at least, if there is one. */
  #nextPart(session: Session): Part[] {
    const { maxTableResponseSize } = this.#around.limits;
    const parts: Part[] = [];
    let size = overhead;
    // Read ahead while the last part was sent, it may have gone or changed hands since.
    if (session.next !== undefined && !this.#isDue(session, session.next)) this.#advance(session);
    for (let entry = session.next; entry !== undefined; entry = this.#advance(session)) {
      const { element, poolHandle } = entry;
      const encoded = encodePoolElement(element);
      const last = parts.at(-1);
      const samePool = last?.poolHandle === poolHandle;
      size += padded(encoded.length) + (samePool ? 0 : poolHandle.length + 8);
      if (size > maxTableResponseSize && parts.length > 0) break;
      if (samePool) {
        last.poolElements.push(encoded);
        last.elements.push(element);
      } else parts.push({ poolHandle, poolElements: [encoded], elements: [element] });
    }
    return parts;
  }

  /** Reads the next entry that is still to be sent. */
  #advance(session: Session): HandlespaceEntry | undefined {
    for (;;) {
      const { value, done } = session.entries.next();
      session.next = done === true ? undefined : (value as HandlespaceEntry);
      if (session.next === undefined || this.#isDue(session, session.next)) return session.next;
    }
  }

  #isDue({ ownChildrenOnly }: Session, entry: HandlespaceEntry): boolean {
    const { handlespace, serverId } = this.#around;
    if (handlespace.entry(entry.poolHandle, entry.identifier) !== entry) return false;
    return !ownChildrenOnly || entry.owner === serverId;
  }

  #entries(ownChildrenOnly: boolean): Iterator<HandlespaceEntry> {
    const { handlespace, serverId } = this.#around;
    return ownChildrenOnly ? handlespace.owned(serverId).values() : allEntries(handlespace);
  }
}

function* allEntries(handlespace: Handlespace): Generator<HandlespaceEntry, undefined> {
  for (const pool of handlespace.pools()) yield* pool.entries();
  return undefined;
}
