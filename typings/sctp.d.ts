/** The parts of the npm package `sctp` 1.0.0 that lib/transport/sctp/package uses; it brings no types. */

declare module 'sctp/lib/chunk' {
  /** One chunk: its parameters and TLVs are properties named as in the package's lib/defs.js. */
  export default class Chunk {
    constructor(chunkType: string, options?: object);
    readonly chunkType: string;
    /** Reads one chunk; false if it is shorter than a chunk header. */
    static fromBuffer(bytes: Buffer): Chunk | false;
    /** The chunk's bytes, padding included. */
    toBuffer(): Buffer;
  }
}

declare module 'sctp/lib/packet' {
  /** A packet: ports, verification tag, and its chunks as bytes without padding (received) or with it (to send). */
  export default class Packet {
    constructor(headers: { src_port: number; dst_port: number; v_tag: number }, chunks: readonly Buffer[]);
    readonly src_port: number;
    readonly dst_port: number;
    readonly v_tag: number;
    readonly chunks: readonly Buffer[];
    toBuffer(): Buffer;
  }
}

declare module 'sctp/lib/endpoint' {
  import type { EventEmitter } from 'node:events';
  import type Association from 'sctp/lib/association';
  import type Packet from 'sctp/lib/packet';

  /** An SCTP port. `emit('packet', packet, src, dst)` feeds it. */
  export default class Endpoint extends EventEmitter {
    constructor(options: { localPort: number; MIS: number; OS: number; a_rwnd: number });
    readonly localPort: number;
    readonly MIS: number;
    readonly OS: number;
    readonly a_rwnd: number;
    transport: {
      sendPacket(source: string | undefined, destination: string, packet: Packet, sent?: () => void): void;
      unallocate(port: number): void;
    };
    readonly associations_lookup: Record<string, Association>;
    readonly associations: Association[];
    readonly _cookieInterval: NodeJS.Timeout;
    onInit(chunk: InitChunk, source: string, destination: string, header: Packet): void;
    onCookieEcho(
      chunk: { readonly cookie: Buffer },
      source: string,
      destination: string,
      header: Packet,
    ): Association | undefined;
    createCookie(chunk: InitChunk, header: Packet, tag: number): Buffer;
    validateCookie(
      cookie: Buffer,
      header: Packet,
    ): { readonly my_tag: number; readonly src_port: number; readonly initChunk: Buffer } | undefined;
    _sendPacket(host: string, port: number, tag: number, chunks: readonly Buffer[], sent?: () => void): void;
    _destroy(): void;
  }
  /** INIT and INIT ACK as the package decodes them. */
  export interface InitChunk {
    readonly initiate_tag: number;
    readonly a_rwnd: number;
    readonly outbound_streams: number;
    readonly inbound_streams: number;
    readonly initial_tsn: number;
    readonly state_cookie?: Buffer;
    readonly errors?: readonly Buffer[];
    readonly ipv4_address?: readonly string[];
    readonly ipv6_address?: readonly string[];
    readonly adaptation_layer_indication?: Buffer;
  }
}

declare module 'sctp/lib/association' {
  import type { EventEmitter } from 'node:events';
  import type Endpoint from 'sctp/lib/endpoint';
  import type { InitChunk } from 'sctp/lib/endpoint';
  import type Packet from 'sctp/lib/packet';

  /** An association: each chunk that arrives is an event, each event a method. */
  export default class Association extends EventEmitter {
    constructor(
      endpoint: Endpoint,
      options: { remoteAddress: string; remotePort: number; my_tag: number; OS: number; MIS: number },
    );
    state: string;
    readonly endpoint: Endpoint | undefined;
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly my_tag: number;
    peer_tag: number;
    OS: number;
    readonly MIS: number;
    readonly a_rwnd: number;
    /** No packet leaves any more: an ABORT came. */
    mute: boolean;
    T1: unknown;
    T5: unknown;
    acceptRemote(chunk: InitChunk): void;
    onInitAck(chunk: InitChunk, source: string): void;
    onCookieAck(): void;
    onData(chunk: DataChunk): void;
    onSack(chunk: SackChunk): void;
    onInit(chunk: InitChunk, source: string, header: Packet): void;
    onCookieEcho(chunk: { readonly cookie: Buffer }, source: string, header: Packet): void;
    onHeartbeatAck(chunk: { readonly heartbeat_info: Buffer }): void;
    onShutdown(chunk: { readonly c_tsn_ack: number }): void;
    onShutdownAck(): void;
    onShutdownComplete(): void;
    onAbort(chunk: { readonly error_causes?: readonly Cause[] }): void;
    onError(chunk: { readonly error_causes?: readonly Cause[] }): void;
    init(): void;
    ERROR(errors: readonly object[], destination?: string): void;
    _updatePeer(chunk: InitChunk): void;
    _enableHeartbeat(): void;
    _up(): void;
    _down(): void;
    _destroy(): void;
    _sendChunk(chunkType: string, options?: object, destination?: string | null, sent?: () => void): void;
  }
  export interface DataChunk {
    readonly tsn: number;
    readonly stream_id: number;
    readonly ssn: number;
    readonly ppid: number;
    readonly user_data: Buffer;
    readonly flags: { readonly B: number; readonly E: number; readonly U: number };
  }
  export interface SackChunk {
    readonly c_tsn_ack: number;
    readonly a_rwnd: number;
    readonly sack_info?: { readonly gap_blocks?: readonly { readonly start: number; readonly finish: number }[] };
  }
  export interface Cause {
    readonly cause?: string;
    readonly cause_code: number;
    readonly abort_reason?: string;
    readonly additional_information?: string;
  }
}
