/** Multicast over UDP (RFC 1112, RFC 4291 section 2.7). */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { MulticastChannel, MulticastGroup, MulticastHandler, MulticastTransport } from '../transport.js';

function join(group: MulticastGroup, handler: MulticastHandler): MulticastChannel {
  const { host, port, ttl } = group;
  const ipv6 = isIPv6(host);
  // Several processes of one machine take part in the same group.
  const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', reuseAddr: true });
  let state: 'joining' | 'joined' | 'closed' = 'joining';
  /** What is sent before the group is joined. */
  let waiting: Uint8Array[] = [];
  const fail = (error: Error): void => {
    if (state === 'closed') return;
    state = 'closed';
    waiting = [];
    socket.close();
    handler.onError(error);
  };
  const send = (bytes: Uint8Array): void => {
    // A network that is down loses a datagram like any other.
    socket.send(bytes, port, host, () => {});
  };
  socket.unref();
  socket.on('error', fail);
  socket.on('message', (bytes, { address, port: from }) => {
    if (state !== 'closed') handler.onDatagram(bytes, { host: address, port: from });
  });
  // Bound to the group, a socket gets nothing that was sent to another one at this port; Windows has no such binding.
  const at = process.platform === 'win32' ? (ipv6 ? '::' : '0.0.0.0') : host;
  socket.bind({ port, address: at }, () => {
    if (state === 'closed') return;
    try {
      joinInterfaces(group, ipv6, (local) => socket.addMembership(host, local));
      if (group.interface !== undefined) socket.setMulticastInterface(group.interface);
      socket.setMulticastTTL(ttl);
      socket.setMulticastLoopback(true);
    } catch (error) {
      fail(error as Error);
      return;
    }
    state = 'joined';
    for (const bytes of waiting) send(bytes);
    waiting = [];
  });
  return {
    send(bytes) {
      if (state === 'joined') send(bytes);
      else if (state === 'joining' && waiting.length < 16) waiting.push(bytes);
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      socket.close();
    },
  };
}

/** Joins on the interface that was named, else on all; one at least must do it. */
function joinInterfaces(group: MulticastGroup, ipv6: boolean, joinOn: (local: string | undefined) => void): void {
  if (group.interface !== undefined) {
    joinOn(group.interface);
    return;
  }
  let joined = false;
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const own = addresses?.find(({ family }) => family === (ipv6 ? 'IPv6' : 'IPv4'));
    if (own === undefined) continue;
    try {
      joinOn(ipv6 ? `::%${name}` : own.address);
      joined = true;
    } catch {
      // One without multicast; the system's own choice below tells if there is none at all.
    }
  }
  if (!joined) joinOn(undefined);
}

/** The system's multicast. */
export const udpMulticast: MulticastTransport = { join };
