/**
 * The two things that a transport may be to the rooms above: byte streams (tcp, tls, memory) and message channels
 * (sctp, memory, and framing over a byte stream). Both are callback interfaces rather than Node streams: a stream
 * schedules by itself, which virtual time cannot follow.
 */

/** An IP address in text and a port. As a target, `host` may also be a DNS name where the transport can look it up. */
export interface TransportAddress {
  readonly host: string;
  readonly port: number;
  /** The name that `host` was looked up from, where it was: certificates are for names. */
  readonly name?: string;
  /** Default: a byte stream (TCP). */
  readonly protocol?: 'sctp';
  /** With SCTP, the UDP port at which it is spoken there (RFC 6951); without, the stack's default. */
  readonly encapsulationPort?: number;
  /** Of a target over TCP: the IP address to connect from. Default: the system chooses. */
  readonly localAddress?: string;
}

/** 'host:port', with brackets around an IPv6 address and for SCTP 'sctp:host:port' or 'sctp:host:port/udp:port': for messages and as a Map key. */
export function formatAddress(address: TransportAddress): string {
  const { host, port } = address;
  const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (address.protocol === undefined) return text;
  const udp = address.encapsulationPort;
  return udp === undefined ? `${address.protocol}:${text}` : `${address.protocol}:${text}/udp:${udp}`;
}

/** The transport, connecting from this IP address. */
export function connectingFrom(transport: ByteStreamTransport, localAddress: string): ByteStreamTransport {
  return {
    connect: (target, callbacks) => transport.connect({ ...target, localAddress }, callbacks),
    listen: (at, callbacks) => transport.listen(at, callbacks),
  };
}

/** What a `net.Socket` is told to reach the target. */
export function socketTarget({
  host,
  port,
  localAddress,
}: TransportAddress): Pick<TransportAddress, 'host' | 'port' | 'localAddress'> {
  return localAddress === undefined ? { host, port } : { host, port, localAddress };
}

/** What the owner of a byte stream is told. Calls come one at a time and never from within a call to the stream. */
export interface ByteStreamHandler {
  /** Bytes arrived. The chunk is the handler's to keep. */
  onData(chunk: Uint8Array): void;
  /** After `write` returned false: it may write again. */
  onDrain(): void;
  /** The far side ended its direction (FIN). Our own may go on until `end` or `destroy`. */
  onEnd(): void;
  /** Exactly once and last. `error` is undefined after both directions ended, or after our own `destroy`. */
  onClose(error: Error | undefined): void;
}

/** Tells nobody: the handler of a stream that has no owner. */
export const noHandler: ByteStreamHandler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };

/** An open connection that carries bytes in order. */
export interface ByteStream {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  /** Further IP addresses that the far side has told to be its own (SCTP). Default: none. */
  readonly remoteHosts?: readonly string[];
  /** Bytes of an IP packet that are used at most, where the transport knows (SCTP). */
  readonly pathMtu?: number;
  /** Whether the far side has proved who it is (a certificate that we trust, or a shared key). Absent: there is no proof. */
  readonly certified?: boolean;
  /** Whom to tell. It may be exchanged at any time; a new stream's opener sets it before any event. */
  handler: ByteStreamHandler;
  /** Bytes accepted by `write` and not yet handed to the system. */
  readonly bufferedBytes: number;
  /**
   * Sends the chunks in order, in one system call where the transport can. The chunks must not change afterwards
   * until they have left. False: more than the transport likes to hold is waiting; wait for `onDrain`. Writing after
   * `end` or after the stream closed does nothing.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Ends our direction after what was written (FIN). */
  end(): void;
  /** Closes both directions at once; what was not sent is lost. `reset`: with RST, so that nothing lingers in the system. */
  destroy(reset?: 'reset'): void;
  /** Stops and restarts `onData` (backpressure). A paused stream learns of a close when resumed, or when it writes. */
  pause(): void;
  resume(): void;
  /** Whether this stream keeps the process alive (default: yes). */
  ref(): void;
  unref(): void;
}

/** A connection attempt under way. */
export interface Attempt {
  /** Gives up; neither callback comes after this. Harmless when it has ended. */
  cancel(): void;
}

export interface ConnectCallbacks {
  /** The connection is up: returns its handler. */
  onOpen(stream: ByteStream): ByteStreamHandler;
  /** It failed: an operating-system error (ECONNREFUSED and so on) as it is. There is no timeout here but the system's. */
  onError(error: Error): void;
}

export interface ListenCallbacks {
  onListening(address: TransportAddress): void;
  onConnection(stream: ByteStream): ByteStreamHandler;
  /** Could not listen, or stopped listening for a reason of the system's. */
  onError(error: Error): void;
}

/** A port that accepts connections. */
export interface Listener {
  /** Stops accepting; open streams go on. `onClosed` follows when the port is free. */
  close(onClosed?: () => void): void;
  ref(): void;
  unref(): void;
}

export interface ByteStreamTransport {
  connect(target: TransportAddress, callbacks: ConnectCallbacks): Attempt;
  /** Port 0 takes any free one. */
  listen(at: TransportAddress, callbacks: ListenCallbacks): Listener;
}

/** What the owner of a message channel is told. */
export interface MessageChannelHandler {
  /** One whole message. `ppid` is the payload protocol identifier it was sent with (RFC 5352 section 5: 11 is ASAP). */
  onMessage(message: Uint8Array, ppid: number): void;
  /** Exactly once and last: `error` is undefined after an orderly end or our own `close` or `abort`. */
  onClose(error: Error | undefined): void;
}

/** An open connection or association that keeps message boundaries and order. */
export interface MessageChannel {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  handler: MessageChannelHandler;
  readonly bufferedBytes: number;
  /** Sends one message. Sending after the channel closed does nothing: `onClose` has told. */
  send(message: Uint8Array, ppid: number): void;
  /** Ends after what was sent. */
  close(): void;
  /** Ends at once. */
  abort(): void;
  ref(): void;
  unref(): void;
}

/** A multicast group as a process takes part in it. */
export interface MulticastGroup {
  /** The group's IP address and port. */
  readonly host: string;
  readonly port: number;
  /** The local interface (its IPv4 address, or '::%name'). Default: listens on all, sends on the system's choice. */
  readonly interface?: string;
  /** How many routers a datagram passes, and one more: 1 stays on the network. */
  readonly ttl: number;
}

/** What the member of a multicast group is told. */
export interface MulticastHandler {
  /** One datagram, of anybody: our own come back as well. The bytes are the handler's to keep. */
  onDatagram(bytes: Uint8Array, from: TransportAddress): void;
  /** The group could not be joined, or the system closed the socket: nothing more comes, and nothing is sent. */
  onError(error: Error): void;
}

/** Membership in a multicast group. It never keeps the process alive. */
export interface MulticastChannel {
  /** Sends one datagram to the group. It may be lost, and nobody is told. */
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface MulticastTransport {
  join(group: MulticastGroup, handler: MulticastHandler): MulticastChannel;
}

/** Looks up names; injected so that tests need no DNS. */
export interface NameResolver {
  /** The IP addresses of a host (A and AAAA, or the system's host table). At least one, or an error. */
  addresses(name: string, callback: (error: Error | undefined, addresses: readonly string[]) => void): void;
  /** The SRV records (RFC 2782) of a name such as '_asap-tcp._tcp.example.org'. At least one, or an error. */
  services(name: string, callback: (error: Error | undefined, services: readonly ServiceRecord[]) => void): void;
}

/** One SRV record. */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  /** The lowest are tried first. */
  readonly priority: number;
  /** Among equal priorities, the share of being tried first. */
  readonly weight: number;
}
