/** Datagrams over UDP: Node's own sockets behind our callback interface. */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramHandler, DatagramSocket, DatagramTransport } from '../datagram.js';
import type { TransportAddress } from '../transport.js';

/**
 * Bytes asked of the system for each direction: a burst must not overflow it. What it grants may be less
 * (net.core.rmem_max); nothing depends on it.
 */
const bufferSize = 4 * 1024 * 1024;

export const udpTransport: DatagramTransport = {
  bind(at: TransportAddress, handler: DatagramHandler): DatagramSocket {
    const socket = createSocket({ type: isIPv6(at.host) ? 'udp6' : 'udp4', recvBufferSize: bufferSize });
    let open = true;
    let listening = false;
    socket.on('listening', () => {
      const { address, port } = socket.address();
      listening = true;
      if (open) handler.onListening({ host: address, port });
      else socket.close();
    });
    socket.on('message', (bytes, { address, port }) => open && handler.onDatagram(bytes, { host: address, port }));
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
        if (open) socket.send(bytes, to.port, to.host, () => {});
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
