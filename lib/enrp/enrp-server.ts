/**
 * The ENRP side of a registrar (RFC 5353): keeps its handlespace and those of its peers the same, and takes over for
 * peers that fail. It owns the connections between servers; everything that it learns it puts into the handlespace,
 * and everything that changes there it is told of by `onHandlespaceChange`.
 */

import type { Clock, Timer } from '../clock.js';
import { formatIdentifier } from '../errors.js';
import type { HandlespaceChange } from '../handlespace/change.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { Random } from '../random.js';
import type { ByteStreamTransport, Listener, MulticastTransport, TransportAddress } from '../transport/transport.js';
import type { EnrpMessage } from '../wire/messages.js';
import type { PoolElement, PoolHandle, ServerInformation } from '../wire/parameters.js';
import { Audits } from './audits.js';
import { Dialler } from './dialler.js';
import type { ElementHooks } from './element-hooks.js';
import type { EnrpChannel } from './enrp-channel.js';
import { MulticastPresence } from './multicast-presence.js';
import type { EnrpSettings } from './options.js';
import type { Peer } from './peer.js';
import { PeerLinks } from './peer-links.js';
import { PeerList } from './peer-list.js';
import { PeerWatch } from './peer-watch.js';
import { type PresenceFacts, peerAddress, presence, serverList } from './presence.js';
import { Replication } from './replication.js';
import { StartUp, type StartUpState } from './start-up.js';
import { TableSessions } from './table-sessions.js';
import { Takeovers } from './takeovers.js';

export interface EnrpServerOptions {
  /** Our server identifier: unsigned 32 bits, not 0, the same as long as this server lives (section 3.2.1). */
  readonly serverId: number;
  readonly settings: EnrpSettings;
  readonly handlespace: Handlespace;
  /** Elements that the handlespace may hold: the most that a mentor's table may list. */
  readonly maxElements: number;
  readonly elements: ElementHooks;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: ByteStreamTransport;
  /** Whether SCTP is spoken beside TCP: `transport` takes SCTP addresses. */
  readonly sctp: boolean;
  /** Only those that prove who they are may be peers. Default: all may. */
  readonly certifiedPeers?: boolean;
  /** For servers that announce themselves. */
  readonly multicast: MulticastTransport;
  /** The port is open. */
  onListening(address: TransportAddress): void;
  /** The handlespace is initialised (section 3.2.3 step 5): elements and users may be served. Once. */
  onReady(): void;
  /** The port could not be opened, or broke. */
  onError(error: Error): void;
}

/** A peer as those see it who watch. */
export interface PeerFacts {
  readonly serverId: number;
  readonly status: Peer['status'];
  readonly connected: boolean;
  /** Elements that it owns. */
  readonly elements: number;
}

export class EnrpServer {
  readonly #options: EnrpServerOptions;
  readonly #peers: PeerList;
  readonly #watch: PeerWatch;
  readonly #dialler: Dialler;
  readonly #links: PeerLinks;
  readonly #startUp: StartUp;
  readonly #tables: TableSessions;
  readonly #replication: Replication;
  readonly #audits: Audits;
  readonly #takeovers: Takeovers;
  /** Elements that a mentor says are ours: from before a restart with the same identifier. */
  #inherited: HandlespaceEntry[] = [];
  #listener: Listener | undefined;
  #sctpListener: Listener | undefined;
  #address: TransportAddress | undefined;
  #sctpAddress: TransportAddress | undefined;
  #heartbeat: Timer | undefined;
  #multicast: MulticastPresence | undefined;
  /** new -> open -> closed */
  #state: 'new' | 'open' | 'closed' = 'new';

  /** Does nothing until `listen`. */
  constructor(options: EnrpServerOptions) {
    const { serverId, settings, handlespace, elements, clock, random, transport, maxElements } = options;
    const { timers, limits, arbitration } = settings;
    this.#options = options;
    const isReady = (): boolean => this.#startUp.ready;
    const peers = new PeerList(clock, limits.maxPeers);
    this.#peers = peers;
    this.#replication = new Replication({ serverId, clock, limits, handlespace, peers, elements });
    const replication = this.#replication;
    this.#tables = new TableSessions({ serverId, clock, timers, limits, handlespace, isReady });
    this.#audits = new Audits({ serverId, clock, timers, limits, handlespace, replication, isReady });
    this.#watch = new PeerWatch({
      clock,
      timers,
      ask: (peer) => this.#ask(peer),
      onDead: (peer) => this.#onDead(peer),
      onAlive: (peer) => this.#takeovers.onAlive(peer),
    });
    const watch = this.#watch;
    this.#takeovers = new Takeovers({
      ...{ serverId, clock, timers, arbitration, handlespace, peers, watch, elements },
      announcePresence: () => this.#announcePresence(),
      ask: (peer) => this.#ask(peer),
      drop: (peer) => this.#drop(peer),
    });
    this.#dialler = new Dialler({
      ...{ clock, random, transport, timers },
      maxTargets: limits.maxPeers,
      isConnected: (peerId) => peers.get(peerId)?.connected === true,
      onOpen: (stream, target) => this.#links.open(stream, target),
    });
    this.#links = new PeerLinks({
      ...{ serverId, clock, timers, limits, peers },
      certifiedPeers: options.certifiedPeers === true,
      dialler: this.#dialler,
      onDialled: (channel, expected) => this.#sendPresence(channel, expected ?? 0, true),
      onIdentified: (peer, channel, isNew, dialled) => this.#onIdentified(peer, channel, isNew, dialled),
      onMessage: (peer, message, channel) => this.#onMessage(peer, message, channel),
      onChannelClosed: (channel) => this.#onChannelClosed(channel),
      onLost: (peer) => this.#onLost(peer),
      onReplaced: (peerId) => this.#onReplaced(peerId),
    });
    this.#startUp = new StartUp({
      ...{ serverId, clock, timers, peers, maxElements },
      onServer: (server) => this.#learn(server),
      onElement: (mentor, poolHandle, element) => this.#onMentorsElement(mentor, poolHandle, element),
      onReady: (mentor) => this.#onReady(mentor),
    });
  }

  /** Where it listens, once it does. */
  get address(): TransportAddress | undefined {
    return this.#address;
  }

  get startUpState(): StartUpState {
    return this.#startUp.state;
  }

  /** The handlespace is initialised. */
  get ready(): boolean {
    return this.#startUp.ready;
  }

  /** The peer list. */
  get peers(): PeerFacts[] {
    const { handlespace } = this.#options;
    return this.#peers.all().map((peer) => ({
      serverId: peer.id,
      status: peer.status,
      connected: peer.connected,
      elements: handlespace.owned(peer.id).size,
    }));
  }

  /** What is kept for others at present: for limits, and for those who watch. */
  get stats(): { readonly connections: number; readonly tableSessions: number; readonly takeovers: number } {
    return { connections: this.#links.size, tableSessions: this.#tables.size, takeovers: this.#takeovers.size };
  }

  /** Opens the port, dials the known peers and starts up. Once only. */
  listen(): void {
    if (this.#state !== 'new') return;
    this.#state = 'open';
    const { settings, transport } = this.#options;
    const { host, port, sctpPort, peers } = settings;
    const start = (): void => {
      if (this.#state !== 'open') return;
      for (const peer of peers) this.#dialler.add(peer, { configured: true });
      this.#joinGroup();
      this.#beat();
      this.#startUp.start(peers.length === 0 && settings.group === undefined);
    };
    this.#listener = transport.listen(
      { host, port },
      {
        onListening: (address) => {
          this.#address = address;
          if (this.#state !== 'open') return;
          this.#options.onListening(address);
          if (this.#options.sctp) this.#listenOnSctp(sctpPort, start);
          else start();
        },
        onConnection: (stream) => this.#links.open(stream),
        onError: (error) => this.#options.onError(error),
      },
    );
  }

  #listenOnSctp(port: number, onListening: () => void): void {
    const { settings, transport } = this.#options;
    this.#sctpListener = transport.listen(
      { host: settings.host, port, protocol: 'sctp' },
      {
        onListening: (address) => {
          this.#sctpAddress = address;
          onListening();
        },
        onConnection: (stream) => this.#links.open(stream),
        onError: (error) => this.#options.onError(error),
      },
    );
  }

  /** Where it listens for peers that speak SCTP, once it does. */
  get sctpAddress(): TransportAddress | undefined {
    return this.#sctpAddress;
  }

  /** The handlespace changed, whoever changed it: what is ours is announced (section 3.3). */
  onHandlespaceChange(change: HandlespaceChange): void {
    if (this.#state === 'open') this.#replication.onChange(change);
  }

  /** Ends all connections after what was sent, and all timers. Peers will take over what is still registered here. */
  close(onClosed?: () => void): void {
    if (this.#state === 'closed') {
      onClosed?.();
      return;
    }
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#heartbeat?.cancel();
    this.#multicast?.close();
    this.#startUp.close();
    this.#takeovers.close();
    this.#audits.close();
    this.#tables.close();
    this.#dialler.close();
    for (const peer of this.#peers.all()) this.#watch.stop(peer);
    this.#links.close();
    this.#sctpListener?.close();
    if (wasOpen && this.#listener !== undefined) this.#listener.close(onClosed);
    else onClosed?.();
  }

  /** Every PEER-HEARTBEAT-CYCLE (section 3.4.2). */
  #beat(): void {
    const { clock, settings } = this.#options;
    this.#announcePresence();
    this.#heartbeat = clock.setTimeout(() => this.#beat(), settings.timers.heartbeatCycle, 'background');
  }

  /** Servers that announce themselves are dialled, and may find us. */
  #joinGroup(): void {
    const { serverId, clock, multicast, settings } = this.#options;
    const { group } = settings;
    if (group === undefined) return;
    this.#multicast = new MulticastPresence({
      ...{ serverId, clock, group },
      transport: multicast,
      sctp: this.#options.sctp,
      onServer: (peerId, address) => {
        if (this.#peers.get(peerId)?.connected !== true) this.#dialler.add(address, { peerId });
      },
    });
  }

  #announcePresence(): void {
    this.#multicast?.send(presence(this.#presenceFacts(0, false)));
    for (const { channel } of this.#peers.connected()) if (channel !== undefined) this.#sendPresence(channel, 0, false);
  }

  #sendPresence(channel: EnrpChannel, receiverId: number, replyRequired: boolean): void {
    channel.send(presence({ ...this.#presenceFacts(receiverId, replyRequired), channel }));
  }

  #presenceFacts(receiverId: number, replyRequired: boolean): PresenceFacts {
    const { serverId, handlespace, settings } = this.#options;
    const checksum = handlespace.checksum(serverId);
    const port = this.#address?.port ?? settings.port;
    return { serverId, receiverId, replyRequired, checksum, settings, port, sctpPort: this.#sctpAddress?.port };
  }

  /** "Reply required": section 3.4.1 to a new peer, section 3.4.3 to a silent one. */
  #ask(peer: Peer): void {
    if (peer.channel !== undefined && peer.connected) this.#sendPresence(peer.channel, peer.id, true);
  }

  #onIdentified(peer: Peer, channel: EnrpChannel, isNew: boolean, dialled: boolean): void {
    if (isNew) this.#watch.start(peer);
    // Whoever dialled has introduced itself and asked by that; the other side asks in turn.
    if (!dialled) this.#sendPresence(channel, peer.id, true);
    this.#takeovers.onConnected(peer);
  }

  #onMessage(peer: Peer, message: EnrpMessage, channel: EnrpChannel): void {
    if (this.#state !== 'open') return;
    this.#watch.heard(peer);
    // For the server that was here before us, or for nobody: it does not know who we are.
    if (message.receiverId !== 0 && message.receiverId !== this.#options.serverId) return;
    switch (message.type) {
      case 'presence':
        if (message.serverInformation !== undefined) this.#inform(peer, message.serverInformation, channel);
        if (message.replyRequired) this.#sendPresence(channel, peer.id, false);
        if (message.peChecksum !== undefined) this.#audits.onChecksum(peer, message.peChecksum);
        break;
      case 'listRequest':
        channel.send(serverList(this.#options.serverId, peer, this.#startUp.ready ? this.#peers.all() : undefined));
        break;
      case 'listResponse':
        this.#startUp.onListResponse(channel, message);
        break;
      case 'handleTableRequest':
        this.#tables.answer(channel, message);
        break;
      case 'handleTableResponse':
        this.#startUp.onTableResponse(channel, message);
        this.#audits.onResponse(channel, message);
        break;
      case 'handleUpdate':
        this.#replication.onUpdate(peer, message);
        break;
      case 'initTakeover':
        this.#takeovers.onInit(peer, message);
        break;
      case 'initTakeoverAck':
        this.#takeovers.onAck(peer, message);
        break;
      case 'takeoverServer':
        this.#takeovers.onTakeoverServer(peer, message);
        break;
      case 'enrpError':
        break;
    }
    // Any message shows that there is somebody to ask.
    this.#startUp.onPeer();
  }

  /** A peer's own Server Information. */
  #inform(peer: Peer, information: ServerInformation, channel: EnrpChannel): void {
    // Nobody tells of others here.
    if (information.serverId !== peer.id) return;
    const address = peerAddress(information, this.#options.sctp, channel.remoteAddress);
    if (address === undefined) return;
    peer.address = address;
    this.#dialler.add(address, { peerId: peer.id });
  }

  /** A mentor's peer list names a server (section 3.2.2.2): it joins the list, and is dialled. */
  #learn({ serverId, transport }: ServerInformation): void {
    if (serverId === this.#options.serverId || serverId === 0) return;
    const address = peerAddress({ serverId, transport }, this.#options.sctp);
    if (address === undefined) return;
    const peer = this.#peers.get(serverId) ?? this.#add(serverId);
    if (peer === undefined) return;
    peer.address ??= address;
    this.#dialler.add(address, { peerId: serverId });
  }

  #add(serverId: number): Peer | undefined {
    const peer = this.#peers.add(serverId, false);
    if (peer !== undefined) this.#watch.start(peer);
    return peer;
  }

  #onMentorsElement(mentor: Peer, poolHandle: PoolHandle, element: PoolElement): void {
    const { serverId, handlespace } = this.#options;
    const owner = element.homeServerId;
    if (owner === serverId) {
      const present = handlespace.entry(poolHandle, element.identifier);
      if (present === undefined && this.#replication.onListed(mentor, poolHandle, element, owner)) {
        const entry = handlespace.entry(poolHandle, element.identifier);
        if (entry !== undefined) this.#inherited.push(entry);
      }
      return;
    }
    // Whoever owns something must be watched, or nobody would ever take it over.
    if (owner !== 0 && this.#peers.get(owner) === undefined && this.#add(owner) === undefined) return;
    this.#replication.onListed(mentor, poolHandle, element, owner === 0 ? mentor.id : owner);
  }

  #onReady(mentor: Peer | undefined): void {
    const inherited = this.#inherited;
    this.#inherited = [];
    this.#options.onReady();
    // What the mentor owns has just come over this connection.
    if (mentor !== undefined) mentor.resyncDue = false;
    this.#options.elements.claim(inherited);
    // The checksums that came meanwhile were not looked at.
    for (const peer of this.#peers.connected()) this.#ask(peer);
  }

  #onChannelClosed(channel: EnrpChannel): void {
    this.#tables.end(channel);
    this.#startUp.onChannelClosed(channel);
    this.#audits.onChannelClosed(channel);
  }

  #onLost(peer: Peer): void {
    this.#dialler.seek(peer.id);
    this.#watch.suspect(peer, 'its connection broke');
  }

  /** Another server answers where this one was: it was restarted. */
  #onReplaced(peerId: number): void {
    const peer = this.#peers.get(peerId);
    if (peer !== undefined && !peer.connected) this.#watch.pronounceDead(peer, 'another server answers at its address');
  }

  #onDead(peer: Peer): void {
    // A server that starts has nothing to offer to a failed one's elements yet.
    if (this.#startUp.ready) this.#takeovers.begin(peer);
    else this.#watch.postpone(peer);
  }

  #drop(peer: Peer): void {
    this.#watch.stop(peer);
    this.#peers.delete(peer);
    peer.channel?.abort();
    peer.channel = undefined;
    this.#dialler.seek(peer.id);
  }

  /** For logs. */
  toString(): string {
    return `ENRP server ${formatIdentifier(this.#options.serverId)}`;
  }
}
