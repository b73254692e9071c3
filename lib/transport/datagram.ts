/** Datagrams: what SCTP in UDP (RFC 6951) runs on. A callback interface, so that it can run in virtual time. */

import type { TransportAddress } from './transport.js';

export interface DatagramHandler {
  /** The socket has its address: datagrams may be sent. Before anything else, unless `onError` comes first. */
  onListening(address: TransportAddress): void;
  /** One datagram. The bytes are the handler's to keep. */
  onDatagram(bytes: Uint8Array, from: TransportAddress): void;
  /** The socket could not be bound or is of no more use; nothing follows. */
  onError(error: Error): void;
}

/** A bound socket. */
export interface DatagramSocket {
  /** Sends one datagram, or loses it: nobody is told. `to.host` is an IP address. */
  send(bytes: Uint8Array, to: TransportAddress): void;
  /** The port is free when this returns or soon after; the handler hears nothing more. */
  close(): void;
  /** Whether the socket keeps the process alive (default: yes). */
  ref(): void;
  unref(): void;
}

export interface DatagramTransport {
  /** Port 0 takes any free one. */
  bind(at: TransportAddress, handler: DatagramHandler): DatagramSocket;
}
