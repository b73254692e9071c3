/**
 * The SCTP stack of the npm package `sctp`, in UDP (RFC 6951): one UDP socket for any number of ports and peers, with the guard
 * between the network and the package. Peers are told apart by IP address and UDP port.
 */

import type Association from 'sctp/lib/association';
import type Endpoint from 'sctp/lib/endpoint';
import type Packet from 'sctp/lib/packet';
import { type Clock, systemClock } from '../../../clock.js';
import { diagnosticEvent } from '../../../diagnostics.js';
import { RserpoolError } from '../../../errors.js';
import { type Random, systemRandom } from '../../../random.js';
import type { DatagramTransport } from '../../datagram.js';
import { type Attempt, formatAddress, type TransportAddress } from '../../transport.js';
import { AssociationGuard } from '../guard/association-guard.js';
import { chunkType, reflectedTagFlag } from '../guard/chunk-type.js';
import { commonHeaderLength, verificationTagOffset } from '../guard/common-header.js';
import { guardPacket } from '../guard/guard-packet.js';
import type { Verdict } from '../guard/verdict.js';
import { rawIpTransport } from '../raw-ip.js';
import type {
  SctpAddress,
  SctpAssociationOptions,
  SctpConnectCallbacks,
  SctpFeatures,
  SctpListenCallbacks,
  SctpListener,
  SctpStack,
} from '../sctp-stack.js';
import { udpTransport } from '../udp.js';
import { answerOutOfTheBlue } from './out-of-the-blue.js';
import { type AssociationSurroundings, PackageAssociation } from './package-association.js';
import { packageClasses } from './package-classes.js';
import { chunksOf, writePacket } from './packet-bytes.js';
import { repairEndpoint } from './repair-endpoint.js';
import { SharedSocket } from './shared-socket.js';
import { type SctpStackOptions, sctpStackOptions } from './stack-options.js';

/** What the stack runs on; the system's unless it is told. */
export interface SctpStackSurroundings {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly datagrams?: DatagramTransport;
}

const dropped = diagnosticEvent<{ from: TransportAddress; reason: string; section: string }>(
  'transport',
  'sctp-dropped',
);
const failed = diagnosticEvent<{ from: TransportAddress; error: unknown }>('transport', 'sctp-failed');

/** Tags of associations that ended: a cookie that comes again must not bring them back. */
const rememberedTags = 4096;
const firstEphemeralPort = 49_152;
const ephemeralPorts = 65_536 - firstEphemeralPort;

interface Port {
  readonly endpoint: Endpoint;
  readonly callbacks: SctpListenCallbacks | undefined;
  referenced: boolean;
}

export class PackageSctpStack implements SctpStack {
  readonly features: SctpFeatures = {
    streams: true,
    unordered: true,
    rtt: true,
    rto: true,
    pathMtu: true,
    multihoming: false,
  };
  readonly options: SctpStackOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ports = new Map<number, Port>();
  readonly #byTag = new Map<number, PackageAssociation>();
  readonly #byBase = new Map<Association, PackageAssociation>();
  readonly #surroundings: AssociationSurroundings;
  #whenIdle: (() => void) | undefined;
  #endedTags: number[] = [];
  #endedAt = 0;
  readonly #socket: SharedSocket;

  constructor(options: Partial<SctpStackOptions> = {}, surroundings: SctpStackSurroundings = {}) {
    this.options = sctpStackOptions(options);
    this.#clock = surroundings.clock ?? systemClock;
    this.#random = surroundings.random ?? systemRandom;
    const { host, udpPort } = this.options;
    const datagrams = surroundings.datagrams ?? (this.options.transport === 'raw' ? rawIpTransport() : udpTransport);
    this.#socket = new SharedSocket(this.#clock, datagrams, { host, port: udpPort }, (bytes, from) =>
      this.#onDatagram(bytes, from),
    );
    this.#surroundings = {
      clock: this.#clock,
      random: this.#random,
      options: this.options,
      transmit: (association, tag, chunks) => this.#transmit(association, tag, chunks),
      forget: (association) => this.#forget(association),
      updateReferences: () => this.#updateReferences(),
    };
  }

  get encapsulationPort(): number | undefined {
    return this.options.transport === 'raw' ? undefined : this.#socket.address?.port;
  }

  connect(target: SctpAddress, callbacks: SctpConnectCallbacks, options: SctpAssociationOptions = {}): Attempt {
    let association: PackageAssociation | undefined;
    let wanted = true;
    this.#socket.use((error) => {
      if (!wanted) return;
      if (error !== undefined) {
        callbacks.onError(error);
        return;
      }
      if (this.options.transport === 'raw' && target.encapsulationPort !== undefined) {
        callbacks.onError(notInUdp(target));
        return;
      }
      const opened = this.#associate(target, options.localPort);
      if (opened === undefined) {
        callbacks.onError(addressInUse(options.localPort ?? 0));
        return;
      }
      association = opened;
      opened.onUp = (failure) => {
        opened.onUp = () => {};
        if (!wanted) return;
        wanted = false;
        if (failure !== undefined) callbacks.onError(failure);
        else opened.handler = callbacks.onOpen(opened);
      };
      opened.open(options.adaptation);
    });
    return {
      cancel() {
        if (!wanted) return;
        wanted = false;
        association?.abort('no longer wanted');
      },
    };
  }

  listen(port: number, callbacks: SctpListenCallbacks, options: SctpAssociationOptions = {}): SctpListener {
    let number: number | undefined;
    let open = true;
    let referenced = true;
    this.#socket.use((error) => {
      if (!open) return;
      const wanted = port === 0 ? this.#freePort() : port;
      if (error !== undefined || this.#ports.has(wanted)) {
        open = false;
        callbacks.onError(error ?? addressInUse(wanted));
        return;
      }
      number = wanted;
      const endpoint = this.#makeEndpoint(wanted);
      repairEndpoint(endpoint, options.adaptation, {
        isListening: () => this.#ports.get(wanted)?.callbacks !== undefined,
        freeTag: () => this.#freeTag(),
        mayAccept: (tag) =>
          !this.#byTag.has(tag) && !this.#endedTags.includes(tag) && this.#byTag.size < this.options.maxAssociations,
        onAccepted: (base, cookie, source) => this.#accept(base, cookie, source),
      });
      this.#ports.set(wanted, { endpoint, callbacks, referenced });
      this.#updateReferences();
      callbacks.onListening({ host: this.#socket.address?.host ?? '', port: wanted, ...this.#encapsulation() });
    });
    const setReferenced = (value: boolean): void => {
      referenced = value;
      const entry = number === undefined ? undefined : this.#ports.get(number);
      if (entry?.callbacks === callbacks) entry.referenced = value;
      this.#updateReferences();
    };
    return {
      close: () => {
        if (!open) return;
        open = false;
        if (number !== undefined) this.#stopListening(number);
      },
      ref: () => setReferenced(true),
      unref: () => setReferenced(false),
    };
  }

  /** As `close`, when no association is left, or after `linger` ms; then calls `onClosed`. What ends in order may take its time. */
  closeWhenIdle(linger: number, onClosed?: () => void): void {
    const finish = (): void => {
      if (this.#whenIdle === undefined) return;
      this.#whenIdle = undefined;
      timer.cancel();
      this.close();
      onClosed?.();
    };
    // Who waits to be told keeps the process alive until then.
    const timer = this.#clock.setTimeout(finish, linger, onClosed === undefined ? 'background' : undefined);
    this.#whenIdle = () => this.#clock.defer(finish);
    if (this.#byTag.size === 0) finish();
  }

  close(): void {
    for (const association of [...this.#byTag.values()]) association.abort('closed');
    for (const [number, { endpoint }] of this.#ports) {
      endpoint._destroy();
      this.#ports.delete(number);
    }
    this.#socket.close();
  }

  #encapsulation(port: number = this.#socket.address?.port ?? 0): Pick<SctpAddress, 'protocol' | 'encapsulationPort'> {
    return { protocol: 'sctp', ...(this.options.transport === 'raw' ? {} : { encapsulationPort: port }) };
  }

  /** The socket keeps the process alive for those who want it. */
  #updateReferences(): void {
    let wanted = false;
    for (const { callbacks, referenced } of this.#ports.values()) wanted ||= callbacks !== undefined && referenced;
    for (const { referenced } of this.#byTag.values()) wanted ||= referenced;
    this.#socket.keepAlive(wanted);
  }

  #freePort(): number {
    for (;;) {
      const port = firstEphemeralPort + Math.floor(this.#random.uniform() * ephemeralPorts);
      if (!this.#ports.has(port)) return port;
    }
  }

  /** A tag that is none of ours, nor was one of late. */
  #freeTag(): number {
    for (;;) {
      const tag = this.#random.identifier();
      if (!this.#byTag.has(tag) && !this.#endedTags.includes(tag)) return tag;
    }
  }

  #makeEndpoint(port: number): Endpoint {
    const { Endpoint } = packageClasses();
    const { streams, window } = this.options;
    const endpoint = new Endpoint({ localPort: port, MIS: streams, OS: streams, a_rwnd: window });
    // Cookies live for as long as their own stamp says; nothing needs a timer that keeps the process alive.
    clearInterval(endpoint._cookieInterval);
    endpoint.transport = {
      sendPacket: (_source, destination, packet, sent) => {
        this.#sendTo(addressOf(destination), packet.src_port, packet.dst_port, packet.v_tag, packet.chunks);
        sent?.();
      },
      unallocate: () => {},
    };
    return endpoint;
  }

  /** Undefined: there is an association between these ports already. */
  #associate(target: SctpAddress, localPort: number | undefined): PackageAssociation | undefined {
    const { Association } = packageClasses();
    const port = localPort ?? this.#freePort();
    const endpoint = this.#ports.get(port)?.endpoint ?? this.#makeEndpoint(port);
    const remote = { ...target, ...this.#encapsulation(target.encapsulationPort ?? this.options.remoteUdpPort) };
    const remoteAddress = keyOf(remote.host, remote.encapsulationPort ?? 0);
    if (endpoint.associations_lookup[`${remoteAddress}:${target.port}`] !== undefined) return undefined;
    if (!this.#ports.has(port)) this.#ports.set(port, { endpoint, callbacks: undefined, referenced: false });
    const tag = this.#freeTag();
    const { streams } = this.options;
    const base = new Association(endpoint, {
      remoteAddress,
      remotePort: target.port,
      my_tag: tag,
      OS: streams,
      MIS: streams,
    });
    return this.#adopt(base, new AssociationGuard({ tag, initialTsn: tag }), port, remote);
  }

  #adopt(base: Association, guard: AssociationGuard, localPort: number, remote: SctpAddress): PackageAssociation {
    const local = { host: this.#socket.address?.host ?? '', port: localPort, ...this.#encapsulation() };
    const association = new PackageAssociation(this.#surroundings, base, guard, local, remote);
    this.#byTag.set(base.my_tag, association);
    this.#byBase.set(base, association);
    this.#updateReferences();
    return association;
  }

  #forget(association: PackageAssociation): void {
    const { base, localAddress } = association;
    this.#byTag.delete(base.my_tag);
    this.#byBase.delete(base);
    this.#endedTags[this.#endedAt] = base.my_tag;
    this.#endedAt = (this.#endedAt + 1) % rememberedTags;
    const port = this.#ports.get(localAddress.port);
    if (port !== undefined && port.callbacks === undefined && port.endpoint.associations.length === 0) {
      port.endpoint._destroy();
      this.#ports.delete(localAddress.port);
    }
    if (this.#byTag.size === 0) this.#whenIdle?.();
    this.#updateReferences();
  }

  #stopListening(number: number): void {
    const port = this.#ports.get(number);
    if (port === undefined) return;
    if (port.endpoint.associations.length > 0) this.#ports.set(number, { ...port, callbacks: undefined });
    else {
      port.endpoint._destroy();
      this.#ports.delete(number);
    }
    this.#updateReferences();
  }

  #accept(base: Association, cookie: Buffer, source: string): void {
    const { localPort } = base.endpoint as Endpoint;
    const guard = new AssociationGuard({ tag: base.my_tag, initialTsn: base.my_tag, cookie });
    const from = addressOf(source);
    const remote = { host: from.host, port: base.remotePort, ...this.#encapsulation(from.port) };
    const association = this.#adopt(base, guard, localPort, remote);
    association.onUp = () => {
      const callbacks = this.#ports.get(localPort)?.callbacks;
      if (callbacks !== undefined) association.handler = callbacks.onAssociation(association);
    };
    association.beginPacket();
  }

  #onDatagram(bytes: Uint8Array, from: TransportAddress): void {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = this.#associationOf(packet, from);
    const verdict = guardPacket(packet, known?.guard);
    if (verdict.type !== 'pass') {
      this.#drop(verdict, from);
      return;
    }
    try {
      if (known !== undefined) this.#receive(known, packet, from);
      else this.#receiveUnknown(packet, from);
    } catch (error) {
      // What the guard let pass and the package chokes on must cost one association at most.
      failed.publish({ from, error });
      known?.fail('ERR_RSERPOOL_PROTOCOL', 'a packet that could not be read');
    }
  }

  #drop(verdict: Verdict, from: TransportAddress): void {
    if (verdict.type === 'drop' && dropped.watched) {
      dropped.publish({ from, reason: verdict.reason, section: verdict.section });
    }
  }

  /** Whom the packet is for: by our tag, or by the peer's where it is reflected. */
  #associationOf(packet: Buffer, from: TransportAddress): PackageAssociation | undefined {
    if (packet.length <= commonHeaderLength + 1) return undefined;
    const tag = packet.readUInt32BE(verificationTagOffset);
    const sourcePort = packet.readUInt16BE(0);
    const destinationPort = packet.readUInt16BE(2);
    const found = this.#byTag.get(tag);
    if (found !== undefined) {
      const { localAddress, remoteAddress, remoteHosts } = found;
      const fits = localAddress.port === destinationPort && remoteAddress.port === sourcePort;
      return fits && (remoteAddress.host === from.host || remoteHosts.includes(from.host)) ? found : undefined;
    }
    if (tag === 0 || (packet[commonHeaderLength + 1]! & reflectedTagFlag) === 0) return undefined;
    const first = packet[commonHeaderLength];
    if (first !== chunkType.abort && first !== chunkType.shutdownComplete) return undefined;
    const base =
      this.#ports.get(destinationPort)?.endpoint.associations_lookup[`${keyOf(from.host, from.port)}:${sourcePort}`];
    return base !== undefined && base.peer_tag === tag ? this.#byBase.get(base) : undefined;
  }

  #receive(association: PackageAssociation, packet: Buffer, from: TransportAddress): void {
    const { base, remoteAddress } = association;
    const { endpoint } = base;
    if (endpoint === undefined) return;
    if (from.host === remoteAddress.host && from.port !== (remoteAddress.encapsulationPort ?? 0)) {
      // RFC 6951 section 5.4: answers go to where the last packet came from.
      association.remoteAddress = { ...remoteAddress, encapsulationPort: from.port };
      association.handler.onNotification({ type: 'peerAddressChange', address: association.remoteAddress });
    }
    association.beginPacket();
    endpoint.emit('packet', this.#packetOf(packet), base.remoteAddress, '');
    association.endPacket();
  }

  #receiveUnknown(packet: Buffer, from: TransportAddress): void {
    const port = this.#ports.get(packet.readUInt16BE(2));
    const first = packet[commonHeaderLength];
    const opens = first === chunkType.init || first === chunkType.cookieEcho;
    if (!opens || port?.callbacks === undefined) {
      const answer = answerOutOfTheBlue(packet);
      if (answer !== undefined) this.#socket.send(answer, from);
      return;
    }
    const { endpoint } = port;
    const source = keyOf(from.host, from.port);
    const lookup = `${source}:${packet.readUInt16BE(0)}`;
    const before = endpoint.associations_lookup[lookup];
    if (first === chunkType.cookieEcho && before !== undefined) {
      // Repair: a peer that restarted. Only a cookie that is good proves it.
      const chunks = chunksOf(packet);
      if (endpoint.validateCookie(chunks[0]!.subarray(4), this.#packetOf(packet)) === undefined) return;
      this.#byBase.get(before)?.replaced();
    }
    endpoint.emit('packet', this.#packetOf(packet), source, '');
    const after = endpoint.associations_lookup[lookup];
    if (first === chunkType.cookieEcho && after !== undefined) this.#byBase.get(after)?.endPacket();
  }

  #packetOf(packet: Buffer): Packet {
    const { Packet } = packageClasses();
    const headers = {
      src_port: packet.readUInt16BE(0),
      dst_port: packet.readUInt16BE(2),
      v_tag: packet.readUInt32BE(verificationTagOffset),
    };
    return new Packet(headers, chunksOf(packet));
  }

  #transmit(association: PackageAssociation, tag: number, chunks: readonly Uint8Array[]): void {
    const { localAddress, remoteAddress, guard } = association;
    const packet = writePacket(localAddress.port, remoteAddress.port, tag, chunks);
    guard.noteSent(packet);
    this.#socket.send(packet, { host: remoteAddress.host, port: remoteAddress.encapsulationPort ?? 0 });
  }

  #sendTo(to: TransportAddress, source: number, destination: number, tag: number, chunks: readonly Buffer[]): void {
    this.#socket.send(writePacket(source, destination, tag, chunks), to);
  }
}

/** A peer's UDP address as the package's name for it: any text will do there. */
function keyOf(host: string, port: number): string {
  return `${host}|${port}`;
}

function addressOf(key: string): TransportAddress {
  const bar = key.lastIndexOf('|');
  return { host: key.slice(0, bar), port: Number(key.slice(bar + 1)) };
}

function addressInUse(port: number): Error {
  const facts = { code: 'EADDRINUSE', syscall: 'listen', port };
  return Object.assign(new Error(`listen EADDRINUSE: SCTP port ${port}`), facts);
}

function notInUdp(target: SctpAddress): RserpoolError {
  const detail = `${formatAddress(target)} is in UDP, and this stack speaks raw IP`;
  return new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail });
}
