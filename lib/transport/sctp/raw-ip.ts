/**
 * SCTP packets straight in IP (protocol 132), by the package `raw-socket`: native code that is not installed with this library and
 * is loaded only here. It needs root or CAP_NET_RAW, and a host whose kernel leaves SCTP alone. Ports are 0: IP has none.
 */

import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { RserpoolError } from '../../errors.js';
import type { DatagramHandler, DatagramSocket, DatagramTransport } from '../datagram.js';
import type { TransportAddress } from '../transport.js';

/** What is used of the package's sockets. */
export interface RawSocket {
  on(event: 'message', listener: (bytes: Buffer, source: string) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  send(bytes: Buffer, offset: number, length: number, address: string, sent: () => void): unknown;
  close(): unknown;
}

/** What is used of the package. */
export interface RawSockets {
  createSocket(options: { protocol: number; addressFamily: number; bufferSize: number }): RawSocket;
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
}

/** What raw IP depends on; the real things unless told. */
export interface RawIpSurroundings {
  readonly load?: () => Promise<{ readonly default: RawSockets }>;
  /** Whether the system's own SCTP is there: it would answer our peers with ABORT. */
  readonly kernelSpeaksSctp?: () => boolean;
}

const sctpProtocol = 132;
/** The largest IP packet: the package cuts off what its buffer cannot hold. */
const bufferSize = 65_535;

/**
 * Datagrams that are SCTP packets in IP. `bind` tells ERR_RSERPOOL_RAW_IP_NOT_AVAILABLE where package or right are missing,
 * or the kernel speaks SCTP itself.
 */
export function rawIpTransport(surroundings: RawIpSurroundings = {}): DatagramTransport {
  const load = surroundings.load ?? (() => import('raw-socket'));
  const kernelSpeaksSctp = surroundings.kernelSpeaksSctp ?? (() => existsSync('/proc/net/sctp'));
  return {
    bind(at: TransportAddress, handler: DatagramHandler): DatagramSocket {
      let state: 'loading' | 'open' | 'closed' = 'loading';
      let socket: RawSocket | undefined;
      /** Packets that the package still has to send. */
      let waiting = 0;
      const fail = (detail: string, cause?: unknown): void => {
        if (state === 'closed') return;
        state = 'closed';
        handler.onError(new RserpoolError('ERR_RSERPOOL_RAW_IP_NOT_AVAILABLE', { detail, cause }));
      };
      const open = ({ default: { createSocket, AddressFamily } }: { readonly default: RawSockets }): void => {
        if (state === 'closed') return;
        if (kernelSpeaksSctp()) {
          fail('the kernel speaks SCTP itself and would answer in our place');
          return;
        }
        const addressFamily = isIPv6(at.host) ? AddressFamily.IPv6 : AddressFamily.IPv4;
        try {
          socket = createSocket({ protocol: sctpProtocol, addressFamily, bufferSize });
        } catch (error) {
          fail('raw sockets need root or CAP_NET_RAW', error);
          return;
        }
        state = 'open';
        socket.on('error', (error) => fail('the raw socket failed', error));
        socket.on('message', (bytes, source) => {
          if (state !== 'open') return;
          const packet = isIPv6(at.host) ? Uint8Array.from(bytes) : payloadOf(bytes, at.host);
          if (packet !== undefined) handler.onDatagram(packet, { host: source, port: 0 });
        });
        handler.onListening({ host: at.host, port: 0 });
      };
      load().then(open, (error) => fail('npm install raw-socket, which needs a compiler', error));
      return {
        send(bytes, to) {
          // What cannot be sent is lost: SCTP sends again, and gives up by itself.
          if (state !== 'open') return;
          const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          waiting++;
          socket?.send(packet, 0, packet.length, to.host, () => {
            if (--waiting === 0 && state === 'closed') socket?.close();
          });
        },
        close() {
          // What was sent before leaves first.
          if (state === 'open' && waiting === 0) socket?.close();
          state = 'closed';
        },
        // The package has no such thing: an open raw socket keeps the process alive.
        ref() {},
        unref() {},
      };
    },
  };
}

/** What follows the IPv4 header, which raw sockets give too, in bytes of its own; undefined: not for `host`, or no such packet. */
function payloadOf(bytes: Buffer, host: string): Uint8Array | undefined {
  if (bytes.length < 20 || bytes[0]! >> 4 !== 4) return undefined;
  const headerLength = (bytes[0]! & 15) * 4;
  if (headerLength < 20 || headerLength > bytes.length) return undefined;
  const destination = bytes.subarray(16, 20).join('.');
  if (host !== '0.0.0.0' && destination !== host) return undefined;
  return Uint8Array.from(bytes.subarray(headerLength));
}
