/**
 * The connections between servers (RFC 5353 section 3.1). Either side may dial; a connection is a peer's from its first
 * message on, and carries that peer's messages only. Of two connections to one peer one is closed:
 *
 * - While both are young (MAX-TIME-NO-RESPONSE) and each side dialled one, that of the server with the larger
 *   identifier stays. Both sides find the same.
 * - Otherwise the newer one stays: its dialler would not have dialled if it still had the older one.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import { type ByteStream, type ByteStreamHandler, formatAddress } from '../transport/transport.js';
import type { EnrpMessage } from '../wire/messages.js';
import { errorCause } from '../wire/operation-error.js';
import { causeCode } from '../wire/parameters.js';
import type { Dialler, DialTarget } from './dialler.js';
import { type EnrpChannel, openEnrpChannel } from './enrp-channel.js';
import type { EnrpLimits, EnrpTimers } from './options.js';
import type { Peer } from './peer.js';
import type { PeerList } from './peer-list.js';

export interface PeerLinksSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  readonly limits: EnrpLimits;
  readonly peers: PeerList;
  /** Whether peers must prove who they are. */
  readonly certifiedPeers: boolean;
  readonly dialler: Dialler;
  /** A connection that we dialled is up: we introduce ourselves. */
  onDialled(channel: EnrpChannel, expected: number | undefined): void;
  /** A connection turned out to be a peer's. `isNew`: the peer was not in the peer list. `dialled`: by us. */
  onIdentified(peer: Peer, channel: EnrpChannel, isNew: boolean, dialled: boolean): void;
  onMessage(peer: Peer, message: EnrpMessage, channel: EnrpChannel): void;
  /** A connection closed, the peer's own or one that another has replaced. */
  onChannelClosed(channel: EnrpChannel): void;
  /** A peer's connection broke, and there is no other. */
  onLost(peer: Peer): void;
  /** Where this peer was there is another server now. */
  onReplaced(peerId: number): void;
}

interface Link {
  readonly channel: EnrpChannel;
  /** Whom we dialled; undefined if the far side did. */
  readonly target: DialTarget | undefined;
  readonly openedAt: number;
  peer: Peer | undefined;
  /** Until the first message. */
  timer: Timer | undefined;
}

const opened = diagnosticEvent<{ peer: string; remote: string; dialled: boolean }>('enrp', 'peer-connected');
const lost = diagnosticEvent<{ peer: string; remote: string; error: Error | undefined }>('enrp', 'peer-disconnected');

export class PeerLinks {
  readonly #around: PeerLinksSurroundings;
  readonly #links = new Map<EnrpChannel, Link>();
  #closed = false;

  constructor(around: PeerLinksSurroundings) {
    this.#around = around;
  }

  get size(): number {
    return this.#links.size;
  }

  /** A connection is open, dialled for `target` or accepted. Returns the stream's handler, which it has also set. */
  open(stream: ByteStream, target?: DialTarget): ByteStreamHandler {
    const { clock, serverId, limits, timers } = this.#around;
    const { maxMessageSize, maxBacklog, maxChannels } = limits;
    const options = { clock, serverId, maxMessageSize, maxBacklog, closeTimeout: timers.closeTimeout };
    const channel: EnrpChannel = openEnrpChannel(stream, options, {
      onMessage: (message) => this.#onMessage(link, message),
      onClose: (error) => this.#onClose(link, error),
    });
    const { handler } = stream;
    const link: Link = { channel, target, openedAt: clock.now(), peer: undefined, timer: undefined };
    this.#links.set(channel, link);
    if (this.#closed || this.#links.size > maxChannels) {
      channel.abort();
      return handler;
    }
    if (this.#around.certifiedPeers && stream.certified !== true) {
      channel.fail(errorCause(causeCode.rejectedDueToSecurity), 'it has not proved who it is');
      return handler;
    }
    link.timer = clock.setTimeout(() => channel.abort(), timers.maxTimeNoResponse, 'background');
    if (target !== undefined) this.#around.onDialled(channel, target.peerId);
    return handler;
  }

  close(): void {
    this.#closed = true;
    for (const { channel } of [...this.#links.values()]) channel.close();
  }

  #onMessage(link: Link, message: EnrpMessage): void {
    const peer = link.peer ?? this.#identify(link, message.senderId);
    if (peer === undefined) return;
    if (message.senderId !== peer.id) {
      const reason = `server identifier ${formatIdentifier(message.senderId)} on a connection of ${formatIdentifier(peer.id)}`;
      link.channel.fail(errorCause(causeCode.rejectedDueToSecurity), reason, peer.id);
      return;
    }
    this.#around.onMessage(peer, message, link.channel);
  }

  /** The first message of a connection says whose it is. */
  #identify(link: Link, senderId: number): Peer | undefined {
    const { serverId, peers, dialler } = this.#around;
    const { channel, target } = link;
    link.timer?.cancel();
    if (senderId === 0) {
      channel.fail(errorCause(causeCode.invalidValues), 'server identifier 0');
      return undefined;
    }
    if (senderId === serverId) {
      if (target !== undefined) dialler.forget(target);
      channel.abort();
      return undefined;
    }
    const known = peers.get(senderId);
    const peer = known ?? peers.add(senderId, target?.configured === true);
    if (peer === undefined) {
      channel.fail(errorCause(causeCode.lackOfResources), 'too many peers', senderId);
      return undefined;
    }
    link.peer = peer;
    const expected = target === undefined ? undefined : dialler.identify(target, senderId);
    this.#attach(peer, link);
    if (opened.watched) {
      const remote = formatAddress(channel.remoteAddress);
      opened.publish({ peer: formatIdentifier(senderId), remote, dialled: target !== undefined });
    }
    this.#around.onIdentified(peer, channel, known === undefined, target !== undefined);
    if (expected !== undefined && expected !== senderId) this.#around.onReplaced(expected);
    return peer;
  }

  #attach(peer: Peer, fresh: Link): void {
    const present = peer.channel === undefined ? undefined : this.#links.get(peer.channel);
    if (present === undefined || !present.channel.open) {
      peer.channel = fresh.channel;
    } else if (this.#staysBeside(present, fresh, peer)) {
      fresh.channel.close();
    } else {
      peer.channel = fresh.channel;
      present.channel.close();
    }
    // What was on its way over the other one may come late or never.
    peer.resyncDue = true;
  }

  #staysBeside(present: Link, fresh: Link, peer: Peer): boolean {
    const { clock, timers, serverId } = this.#around;
    const sameDialler = (present.target === undefined) === (fresh.target === undefined);
    if (sameDialler || clock.now() - present.openedAt >= timers.maxTimeNoResponse) return false;
    const weDialled = present.target !== undefined;
    return weDialled === serverId > peer.id;
  }

  #onClose(link: Link, error: Error | undefined): void {
    const { channel, target, peer } = link;
    link.timer?.cancel();
    this.#links.delete(channel);
    if (this.#closed) return;
    if (target !== undefined) this.#around.dialler.onClosed(target);
    this.#around.onChannelClosed(channel);
    if (peer === undefined) return;
    if (lost.watched)
      lost.publish({ peer: formatIdentifier(peer.id), remote: formatAddress(channel.remoteAddress), error });
    if (peer.channel !== channel) return;
    peer.channel = undefined;
    if (peer.status !== 'gone') this.#around.onLost(peer);
  }
}
