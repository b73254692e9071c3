/**
 * An association of the npm package `sctp`, with what it gets wrong put right from outside. The package keeps the state that
 * RFC 9260 section 4 draws up to ESTABLISHED, makes and reads chunks and cookies, and answers heartbeats; data transfer, timers,
 * failure detection and shutdown are ours (docs/sctp.md lists each repair).
 *
 *   opening --COOKIE ACK, or our own--> open --shutdown()--> ending --T2, SHUTDOWN ACK--> closed
 *   Any state goes to closed by an ABORT, a silent peer, a fault of the peer, or a restart of it.
 */

import type Association from 'sctp/lib/association';
import type { Cause, DataChunk } from 'sctp/lib/association';
import type { InitChunk } from 'sctp/lib/endpoint';
import type { Clock, Timer } from '../../../clock.js';
import { RserpoolError, type RserpoolErrorCode } from '../../../errors.js';
import type { Random } from '../../../random.js';
import { formatAddress } from '../../transport.js';
import type { AssociationGuard } from '../guard/association-guard.js';
import { commonHeaderLength } from '../guard/common-header.js';
import {
  noSctpHandler,
  type SctpAddress,
  type SctpAssociation,
  type SctpAssociationHandler,
  type SctpHeartbeat,
  type SctpRetrieval,
  type SctpSendInfo,
} from '../sctp-stack.js';
import { DataTransfer } from '../transfer/data-transfer.js';
import { RoundTrip } from '../transfer/round-trip.js';
import { packageClasses } from './package-classes.js';
import { PathWatch } from './path-watch.js';
import { repairAssociation } from './repair-association.js';
import { adaptationParameter } from './repair-endpoint.js';
import { RetryTimer } from './retry-timer.js';
import type { SctpStackOptions } from './stack-options.js';

/** What an association needs of the stack that it lives in. */
export interface AssociationSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly options: SctpStackOptions;
  /** Sends chunks in one packet. */
  transmit(association: PackageAssociation, tag: number, chunks: readonly Uint8Array[]): void;
  /** It is no more: nothing that comes can be for it. */
  forget(association: PackageAssociation): void;
  /** A reference was taken or given back. */
  updateReferences(): void;
}

/** Bytes of IP and UDP headers: IPv6's, which are longer. */
const encapsulation = 48;
const maxAbortReason = 1024;
const decoder = new TextDecoder();

export class PackageAssociation implements SctpAssociation {
  readonly localAddress: SctpAddress;
  readonly base: Association;
  readonly guard: AssociationGuard;
  handler: SctpAssociationHandler = noSctpHandler;
  remoteAddress: SctpAddress;
  referenced = true;
  /** Told once, when the association is up or has failed before. */
  onUp: (error: Error | undefined) => void = () => {};
  /** Addresses from which the peer said that it may send. */
  remoteHosts: readonly string[] = [];
  readonly #surroundings: AssociationSurroundings;
  readonly #roundTrip: RoundTrip;
  readonly #watch: PathWatch;
  readonly #retry: RetryTimer;
  readonly #packetRoom: number;
  #state: 'opening' | 'open' | 'ending' | 'closed' = 'opening';
  #adaptation: number | undefined;
  #transfer: DataTransfer | undefined;
  #connectTimer: Timer | undefined;
  #openedAt: number;

  constructor(
    surroundings: AssociationSurroundings,
    base: Association,
    guard: AssociationGuard,
    localAddress: SctpAddress,
    remoteAddress: SctpAddress,
  ) {
    const { clock, random, options } = surroundings;
    this.#surroundings = surroundings;
    this.base = base;
    this.guard = guard;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#roundTrip = new RoundTrip(options.rto);
    this.#retry = new RetryTimer(clock);
    this.#openedAt = clock.now();
    this.#packetRoom = (options.pathMtu - encapsulation - commonHeaderLength) & ~3;
    this.#watch = new PathWatch(clock, random, options.heartbeat, {
      onAsk: (info) => this.#state !== 'opening' && this.#control('heartbeat', { heartbeat_info: info }),
      onRoundTrip: (duration) => this.#roundTrip.measured(duration),
      onSilent: () => this.#silent(),
    });
    repairAssociation(base, {
      onData: (chunk) => this.#onData(chunk),
      onSack: (chunk) => this.#transfer?.onSack(chunk),
      onInit: (chunk, source, header) => {
        // A peer that restarts is answered without a word to this association, which lives until its cookie comes.
        if (this.#state !== 'opening') base.endpoint?.onInit(chunk, source, '', header);
      },
      onHeartbeatAck: (info) => this.#watch.onAnswer(info),
      onShutdown: (acknowledged) => this.#onShutdown(acknowledged),
      onShutdownAck: () => this.#onShutdownAck(),
      onShutdownComplete: () => base.state === 'SHUTDOWN-ACK-SENT' && this.#close(undefined),
      onAbort: (causes) => this.#onAbort(causes),
      onError: (causes) => this.handler.onNotification({ type: 'remoteError', causes }),
      onUp: () => this.#up(),
      onPeer: (chunk) => this.#meet(chunk),
      send: (type, options) => this.#control(type, options),
    });
  }

  get outboundStreams(): number {
    return this.base.OS;
  }

  get adaptation(): number | undefined {
    return this.#adaptation;
  }

  get bufferedBytes(): number {
    return this.#transfer?.sender.bufferedBytes ?? 0;
  }

  get rtt(): number | undefined {
    return this.#roundTrip.smoothed;
  }

  get rto(): number | undefined {
    return this.#roundTrip.smoothed === undefined ? undefined : this.#roundTrip.rto;
  }

  get pathMtu(): number {
    return this.#surroundings.options.pathMtu;
  }

  /** Sends INIT until it is answered; `onUp` is told. */
  open(adaptation: number | undefined): void {
    const { base } = this;
    const { clock, options } = this.#surroundings;
    const init = (): void =>
      this.#control('init', {
        initiate_tag: base.my_tag,
        a_rwnd: base.a_rwnd,
        outbound_streams: base.OS,
        inbound_streams: base.MIS,
        initial_tsn: base.my_tag,
        ...adaptationParameter(adaptation),
      });
    base.state = 'COOKIE-WAIT';
    init();
    this.#retry.start(options.initTimeout, options.rto.max, options.maxRetransmissions, init, () => {});
    this.#connectTimer = clock.setTimeout(() => {
      const detail = formatAddress(this.remoteAddress);
      this.#close(new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT', { detail, origin: 'remote' }));
    }, options.connectTimeout);
  }

  send(data: Uint8Array, info: SctpSendInfo): void {
    if (data.length === 0) throw new RangeError('an SCTP message has at least one byte');
    const streams = this.outboundStreams;
    if (!(info.streamId >= 0 && info.streamId < streams)) {
      throw new RangeError(`stream ${info.streamId} of an association with ${streams} streams`);
    }
    this.#transfer?.sender.push(data, info);
  }

  retrieve(): SctpRetrieval {
    return this.#transfer?.sender.retrieve() ?? { unsent: [], unacknowledged: [] };
  }

  setHeartbeat(heartbeat: SctpHeartbeat): void {
    this.#watch.set(heartbeat);
  }

  pause(): void {
    this.#transfer?.receiver.pause();
  }

  resume(): void {
    // Never from within this call.
    this.#surroundings.clock.defer(() => this.#transfer?.resume());
  }

  shutdown(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.base.state = 'SHUTDOWN-PENDING';
    this.#shutdownIfDone();
  }

  abort(reason: string = ''): void {
    if (this.#state === 'closed') return;
    this.#sendAbort('USER_INITIATED_ABORT', reason);
    const { handler } = this;
    this.handler = noSctpHandler;
    this.#close(undefined);
    this.#surroundings.clock.defer(() => handler.onClose(undefined));
  }

  ref(): void {
    this.referenced = true;
    this.#surroundings.updateReferences();
  }

  unref(): void {
    this.referenced = false;
    this.#surroundings.updateReferences();
  }

  /** A packet for this association is about to be handed to the package. */
  beginPacket(): void {
    this.#watch.heard();
  }

  /** The package has read the packet. */
  endPacket(): void {
    if (this.#state === 'closed') return;
    this.handler.onHeard();
    this.#transfer?.endPacket();
  }

  /** The peer broke the protocol in a way that only its reader found. */
  fail(code: RserpoolErrorCode, detail: string): void {
    this.#sendAbort('PROTOCOL_VIOLATION', detail);
    this.#close(new RserpoolError(code, { detail, origin: 'remote' }));
  }

  /** A new association of the same peer takes this one's place (RFC 9260 section 5.2.4.1, action A). */
  replaced(): void {
    this.#close(this.#broken('the far side restarted'));
  }

  /** The peer's INIT or INIT ACK is here. */
  #meet(chunk: InitChunk): void {
    const { clock, options } = this.#surroundings;
    const inboundStreams = Math.min(chunk.outbound_streams, this.base.MIS);
    this.guard.establish({ tag: chunk.initiate_tag, initialTsn: chunk.initial_tsn, inboundStreams });
    this.remoteHosts = chunk.ipv4_address ?? [];
    const indication = chunk.adaptation_layer_indication;
    if (indication?.length === 4) this.#adaptation = indication.readUInt32BE(0);
    this.#transfer = new DataTransfer(
      clock,
      {
        packetRoom: this.#packetRoom,
        sackDelay: options.sackDelay,
        sending: {
          packetRoom: this.#packetRoom,
          initialTsn: this.base.my_tag,
          peerWindow: chunk.a_rwnd,
          maxRetransmissions: options.maxRetransmissions,
        },
        receiving: {
          initialTsn: chunk.initial_tsn,
          window: options.window,
          longestMessage: options.longestMessage,
        },
      },
      this.#roundTrip,
      {
        transmit: (chunks) => this.#transmit(chunks),
        onMessage: (message) => this.#state !== 'closed' && this.handler.onMessage(message),
        onAcknowledged: (count) => this.#onAcknowledged(count),
        onFault: (code, reason) => this.fail(code, reason),
        onGivenUp: () => this.#silent(),
      },
    );
  }

  #up(): void {
    if (this.#state !== 'opening') return;
    const { clock } = this.#surroundings;
    this.#retry.stop();
    this.#connectTimer?.cancel();
    this.#roundTrip.measured(clock.now() - this.#openedAt);
    this.#state = 'open';
    this.#watch.heard();
    this.onUp(undefined);
    this.#transfer?.open();
  }

  #onData(chunk: DataChunk): void {
    const { state } = this.base;
    if (state !== 'ESTABLISHED' && state !== 'SHUTDOWN-PENDING' && state !== 'SHUTDOWN-SENT') return;
    this.#transfer?.onData({
      tsn: chunk.tsn,
      streamId: chunk.stream_id,
      ssn: chunk.ssn,
      ppid: chunk.ppid,
      begin: chunk.flags.B === 1,
      end: chunk.flags.E === 1,
      unordered: chunk.flags.U === 1,
      data: chunk.user_data,
    });
    // Section 9.2: whoever has sent SHUTDOWN says what it has by another one.
    if (this.base.state === 'SHUTDOWN-SENT')
      this.#control('shutdown', { c_tsn_ack: this.#transfer?.receiver.cumulative });
  }

  #onAcknowledged(count: number): void {
    this.handler.onAcknowledged(count);
    if (this.#transfer?.sender.isEmpty !== true) return;
    this.handler.onNotification({ type: 'senderDry' });
    this.#shutdownIfDone();
  }

  #transmit(chunks: readonly Uint8Array[]): void {
    if (this.base.mute) return;
    this.#surroundings.transmit(this, this.base.peer_tag ?? 0, chunks);
  }

  /** Sends one chunk of the package's making at once. */
  #control(type: string, options?: object): void {
    const { Chunk } = packageClasses();
    const chunk = new Chunk(type, options).toBuffer();
    this.#transmit([chunk]);
    if (type !== 'cookie_echo') return;
    // Repair: COOKIE ECHO is sent again until it is answered.
    const stack = this.#surroundings.options;
    const again = (): void => this.#transmit([chunk]);
    this.#retry.start(stack.initTimeout, stack.rto.max, stack.maxRetransmissions, again, () => {});
  }

  #sendAbort(cause: string, reason: string): void {
    const bytes = Buffer.from(reason).subarray(0, maxAbortReason);
    if (this.base.peer_tag === undefined) return;
    this.#control('abort', { error_causes: [{ cause, abort_reason: bytes, additional_information: bytes }] });
  }

  /** Repair: SHUTDOWN waits until everything is acknowledged, and is sent again until it is answered. */
  #shutdownIfDone(): void {
    const { base } = this;
    if (this.#transfer?.sender.isEmpty !== true) return;
    if (base.state === 'SHUTDOWN-PENDING') {
      base.state = 'SHUTDOWN-SENT';
      this.#repeat(() => this.#control('shutdown', { c_tsn_ack: this.#transfer?.receiver.cumulative }));
    } else if (base.state === 'SHUTDOWN-RECEIVED') {
      base.state = 'SHUTDOWN-ACK-SENT';
      this.#repeat(() => this.#control('shutdown_ack'));
    }
  }

  #repeat(send: () => void): void {
    const { options } = this.#surroundings;
    send();
    this.#retry.start(this.#roundTrip.rto, options.rto.max, options.maxRetransmissions, send, () => this.#silent());
  }

  #onShutdown(acknowledged: number): void {
    const { base } = this;
    if (this.#state === 'opening' || this.#state === 'closed') return;
    this.#transfer?.sender.acknowledge(acknowledged);
    if (base.state === 'ESTABLISHED' || base.state === 'SHUTDOWN-PENDING') {
      this.#state = 'ending';
      base.state = 'SHUTDOWN-RECEIVED';
      this.handler.onNotification({ type: 'shutdown' });
      this.#shutdownIfDone();
    } else if (base.state === 'SHUTDOWN-SENT') {
      base.state = 'SHUTDOWN-ACK-SENT';
      this.#repeat(() => this.#control('shutdown_ack'));
    } else if (base.state === 'SHUTDOWN-ACK-SENT') this.#control('shutdown_ack');
  }

  #onShutdownAck(): void {
    const { state } = this.base;
    if (state !== 'SHUTDOWN-SENT' && state !== 'SHUTDOWN-ACK-SENT') return;
    this.#control('shutdown_complete');
    this.#close(undefined);
  }

  #onAbort(causes: readonly Cause[]): void {
    if (this.#state === 'opening') {
      const { host, port } = this.remoteAddress;
      const message = `connect ECONNREFUSED ${formatAddress(this.remoteAddress)}`;
      this.#close(Object.assign(new Error(message), { code: 'ECONNREFUSED', syscall: 'connect', address: host, port }));
      return;
    }
    const own = causes.find(({ cause }) => cause === 'USER_INITIATED_ABORT');
    const said = own?.abort_reason ?? '';
    const detail = typeof said === 'string' ? said : decoder.decode(said);
    if (own !== undefined) this.#close(new RserpoolError('ERR_RSERPOOL_ABORTED', { detail, origin: 'remote' }));
    else this.#close(this.#broken(`the far side aborted it (${causes[0]?.cause ?? 'no cause given'})`));
  }

  #silent(): void {
    if (this.#state === 'opening') return;
    this.#sendAbort('USER_INITIATED_ABORT', 'silent for too long');
    const detail = formatAddress(this.remoteAddress);
    this.#close(new RserpoolError('ERR_RSERPOOL_HEARTBEAT_TIMEOUT', { detail, origin: 'remote' }));
  }

  #broken(detail: string): RserpoolError {
    return new RserpoolError('ERR_RSERPOOL_CONNECTION_BROKEN', { detail, origin: 'remote' });
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    const opening = this.#state === 'opening';
    this.#state = 'closed';
    this.#retry.stop();
    this.#watch.stop();
    this.#connectTimer?.cancel();
    this.#transfer?.stop();
    this.base._destroy();
    this.#surroundings.forget(this);
    if (opening) this.onUp(error ?? this.#broken('given up'));
    else this.handler.onClose(error as RserpoolError | undefined);
  }
}
