/** The mentor's side of handle tables (RFC 5353 sections 3.2.3 and 3.6.3): sends them in parts, one a request. */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { HandleTableRequest, PoolEntry } from '../wire/messages.js';
import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import { TableWriter } from '../wire/table-writer.js';
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

export class TableSessions {
  readonly #around: TableSessionsSurroundings;
  /** By connection: with it a session ends, so that a far side that begins anew gets all of it. */
  readonly #sessions = new Map<EnrpChannel, Session>();
  readonly #writer: TableWriter;

  constructor(around: TableSessionsSurroundings) {
    this.#around = around;
    this.#writer = new TableWriter(around.serverId, around.limits.maxTableResponseSize);
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
    const writer = this.#writer;
    writer.begin(senderId);
    const sent = this.#writePart(session);
    const moreToSend = session.next !== undefined;
    channel.sendEncoded(writer.end(moreToSend), () => ({
      type: 'handleTableResponse',
      senderId: this.#around.serverId,
      receiverId: senderId,
      moreToSend,
      rejected: false,
      poolEntries: poolEntries(sent),
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

  /** Writes as many entries as a part holds, one at least if there is one, and returns them. */
  #writePart(session: Session): HandlespaceEntry[] {
    const written: HandlespaceEntry[] = [];
    // Read ahead while the last part was sent, it may have gone or changed hands since.
    if (session.next !== undefined && !this.#isDue(session, session.next)) this.#advance(session);
    for (let entry = session.next; entry !== undefined; entry = this.#advance(session)) {
      if (!this.#writer.add(entry.poolHandle, entry.element)) break;
      written.push(entry);
    }
    return written;
  }

  /** Reads the next entry: what an iteration comes by is still there, and its owner's. */
  #advance(session: Session): HandlespaceEntry | undefined {
    const { value, done } = session.entries.next();
    session.next = done === true ? undefined : (value as HandlespaceEntry);
    return session.next;
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

/** What was written, as data: for those who watch what is sent. */
function poolEntries(entries: readonly HandlespaceEntry[]): PoolEntry[] {
  const pools: { readonly poolHandle: PoolHandle; readonly poolElements: PoolElement[] }[] = [];
  for (const { poolHandle, element } of entries) {
    const last = pools.at(-1);
    if (last?.poolHandle === poolHandle) last.poolElements.push(element);
    else pools.push({ poolHandle, poolElements: [element] });
  }
  return pools;
}
