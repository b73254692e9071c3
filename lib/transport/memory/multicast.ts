/** Multicast in memory: datagrams that a cut link or a lost segment swallows, as UDP's are. */

import type { MulticastChannel, MulticastGroup, MulticastHandler } from '../transport.js';
import { formatAddress } from '../transport.js';
import type { Surroundings } from './surroundings.js';

/** A process, as far as multicast needs it. */
interface Member {
  readonly address: string;
  dispatch(kind: 'timer' | 'input', run: () => void): void;
}

interface Membership {
  readonly process: Member;
  readonly handler: MulticastHandler;
}

export class MemoryMulticast {
  readonly #network: Surroundings;
  readonly #groups = new Map<string, Set<Membership>>();

  constructor(network: Surroundings) {
    this.#network = network;
  }

  join(process: Member, group: MulticastGroup, handler: MulticastHandler): MulticastChannel {
    const key = formatAddress(group);
    const members = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, members);
    const membership: Membership = { process, handler };
    members.add(membership);
    return {
      send: (bytes) => {
        for (const member of members) this.#deliver(Uint8Array.from(bytes), process, member, group.port, members);
      },
      close: () => void members.delete(membership),
    };
  }

  #deliver(bytes: Uint8Array, from: Member, to: Membership, port: number, members: ReadonlySet<Membership>): void {
    const { address } = to.process;
    const link = this.#network.link(from.address, address);
    if (link.cut || this.#network.lossDelay(from.address, address, { type: 'data', bytes }) > 0) return;
    this.#network.time.schedule(link.latency, () => {
      to.process.dispatch('input', () => {
        if (members.has(to)) to.handler.onDatagram(bytes, { host: from.address, port });
      });
    });
  }
}
