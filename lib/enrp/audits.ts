/** Audit and re-synchronisation (RFC 5353 sections 3.6.1 and 3.6.3): a peer's own elements are as that peer says. */

import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { HandleTableResponse } from '../wire/messages.js';
import { PeChecksum } from '../wire/pe-checksum.js';
import type { EnrpChannel } from './enrp-channel.js';
import type { EnrpLimits, EnrpTimers } from './options.js';
import type { Peer } from './peer.js';
import type { Replication } from './replication.js';
import { type DownloadFailure, TableDownload } from './table-download.js';

export interface AuditsSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  readonly limits: EnrpLimits;
  readonly handlespace: Handlespace;
  readonly replication: Replication;
  /** False while our own handlespace is being initialised: that is a download already. */
  isReady(): boolean;
}

interface AuditFacts {
  readonly peer: string;
  /** Elements that the peer did not list any more. */
  readonly removed: number;
  readonly failure: DownloadFailure | undefined;
}
const ended = diagnosticEvent<AuditFacts>('enrp', 'audit-ended');
const begun = diagnosticEvent<{ peer: string; theirs: number; ours: number }>('enrp', 'audit-begun');

/** Fruitless audits are made at most this many heartbeat cycles apart. */
const maxWaitCycles = 16;

export class Audits {
  readonly #around: AuditsSurroundings;
  readonly #downloads = new Map<EnrpChannel, TableDownload>();

  constructor(around: AuditsSurroundings) {
    this.#around = around;
  }

  /** Audits under way. */
  get size(): number {
    return this.#downloads.size;
  }

  /** A peer told its own PE checksum: compared with ours of it, and an audit begun if they differ. */
  onChecksum(peer: Peer, checksum: number): void {
    const { handlespace, clock } = this.#around;
    const ours = handlespace.checksum(peer.id);
    if (checksum === ours) peer.fruitlessAudits = 0;
    if (checksum === ours && !peer.resyncDue) return;
    const { channel } = peer;
    if (!this.#around.isReady() || channel === undefined || this.#downloads.has(channel)) return;
    if (clock.now() < peer.auditNotBefore) return;
    if (begun.watched) begun.publish({ peer: formatIdentifier(peer.id), theirs: checksum, ours });
    this.#start(peer, channel, checksum);
  }

  onResponse(channel: EnrpChannel, response: HandleTableResponse): void {
    this.#downloads.get(channel)?.onResponse(response);
  }

  onChannelClosed(channel: EnrpChannel): void {
    this.#downloads.get(channel)?.onClosed();
  }

  close(): void {
    for (const download of this.#downloads.values()) download.cancel();
    this.#downloads.clear();
  }

  /** `told`: the checksum that the peer says it has. */
  #start(peer: Peer, channel: EnrpChannel, told: number): void {
    const { serverId, clock, timers, limits, handlespace, replication } = this.#around;
    // What is announced meanwhile loses its mark too.
    handlespace.mark(peer.id);
    const listed = new PeChecksum();
    let allTaken = true;
    const download = new TableDownload({
      clock,
      channel,
      serverId,
      peerId: peer.id,
      ownChildrenOnly: true,
      timeout: timers.maxTimeNoResponse,
      maxTime: timers.maxDownloadTime,
      maxElements: limits.maxElementsPerPeer,
      onElement: (poolHandle, element) => {
        // It was asked for its own, and cannot speak for others.
        if (element.homeServerId !== 0 && element.homeServerId !== peer.id) return;
        listed.add(poolHandle, element.identifier);
        if (!replication.onListed(peer, poolHandle, element, peer.id)) allTaken = false;
      },
      onDone: () => {
        peer.resyncDue = false;
        const removed = handlespace.removeMarked(peer.id).length;
        this.#end(peer, channel, removed, undefined);
        // The peer is as it says: that others lie about its elements, even during the audit, must not make us look at them less often.
        if (allTaken && listed.value === told) this.#forgive(peer);
      },
      onFailed: (failure) => this.#end(peer, channel, 0, failure),
    });
    this.#downloads.set(channel, download);
  }

  #end(peer: Peer, channel: EnrpChannel, removed: number, failure: DownloadFailure | undefined): void {
    this.#downloads.delete(channel);
    // A peer that starts, or that is overrun, says so; a broken connection tells nothing about the far side.
    if (failure !== 'rejected' && failure !== 'closed') this.#countAudit(peer);
    if (ended.watched) ended.publish({ peer: formatIdentifier(peer.id), removed, failure });
  }

  #forgive(peer: Peer): void {
    peer.fruitlessAudits = 0;
    peer.auditNotBefore = this.#around.clock.now();
  }

  /** Audits that do not help are repeated a few times, then ever less often: a liar must not keep us busy. */
  #countAudit(peer: Peer): void {
    const { clock, timers, limits } = this.#around;
    peer.fruitlessAudits++;
    const beyond = peer.fruitlessAudits - limits.maxFruitlessAudits;
    const cycles = beyond < 0 ? 0 : Math.min(2 ** beyond, maxWaitCycles);
    peer.auditNotBefore = clock.now() + cycles * timers.heartbeatCycle;
  }
}
