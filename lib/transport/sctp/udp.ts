/** Datagrams over UDP: Node's own sockets behind our callback interface. */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { DatagramHandler, DatagramSocket, DatagramTransport } from '../datagram.js';
import type { TransportAddress } from '../transport.js';

/**
 * Bytes asked of the system for each direction: a burst must not overflow it. What it grants may be less
 * (net.core.rmem_max); nothing depends on it.
 */
const bufferSize = 4 * 1024 * 1024;

/** Before an IPv4 address, how a socket for IPv6 names it (RFC 4291 section 2.5.5.2). */
const mapped = '::ffff:';

export const udpTransport: DatagramTransport = {
  bind(at: TransportAddress, handler: DatagramHandler): DatagramSocket {
    let open = true;
    let listening = false;
    const onIPv6 = isIPv6(at.host);
    const socket = createSocket({
      type: onIPv6 ? 'udp6' : 'udp4',
      recvBufferSize: bufferSize,
      // Node looks up IP addresses too, and sends a tick later: too late for what is sent right before the socket closes.
      lookup: (host, options, callback) => {
        if (listening && isIP(host) !== 0) callback(null, host, isIP(host));
        else lookup(host, options, callback);
      },
    });
    socket.on('listening', () => {
      const { address, port } = socket.address();
      listening = true;
      if (open) handler.onListening({ host: address, port });
      else socket.close();
    });
    socket.on(
      'message',
      (bytes, { address, port }) => open && handler.onDatagram(bytes, { host: plainHost(address), port }),
    );
    socket.on('error', (error) => {
      if (!open) return;
      open = false;
      socket.close();
      handler.onError(error);
    });
    socket.bind(at.port, at.host);
    return {
      send(bytes, to) {
        // An unreachable network is a lost datagram: SCTP sends again, and gives up by itself.
        if (open) socket.send(bytes, to.port, onIPv6 && isIPv4(to.host) ? `${mapped}${to.host}` : to.host, () => {});
      },
      close() {
        if (!open) return;
        open = false;
        if (listening) socket.close();
      },
      ref: () => void socket.ref(),
      unref: () => void socket.unref(),
    };
  },
};

/** Peers are known by the address that they have themselves. */
function plainHost(address: string): string {
  return address.startsWith(mapped) && isIPv4(address.slice(mapped.length)) ? address.slice(mapped.length) : address;
}
