/** ASAP_SERVER_ANNOUNCE by multicast (RFC 5352 section 3.6): elements and users find this registrar by it. */

import { decodeAnnouncement } from '../asap/announcement.js';
import type { Clock, Timer } from '../clock.js';
import { joinAnnouncements } from '../transport/announcements.js';
import type { MulticastChannel, MulticastGroup, MulticastTransport, TransportAddress } from '../transport/transport.js';
import { encodeAsap } from '../wire/asap.js';
import type { Transport } from '../wire/parameters.js';

export interface AnnouncerOptions {
  readonly serverId: number;
  readonly clock: Clock;
  readonly transport: MulticastTransport;
  readonly group: MulticastGroup;
  /** T6-Serverannounce, in milliseconds: all registrars together announce about once in so long. */
  readonly interval: number;
  /** Where ASAP is spoken. An unspecified host (0.0.0.0 or ::) says: where the announcement comes from. */
  readonly address: TransportAddress;
  /** The SCTP port at which it is spoken there too, if any. */
  readonly sctpPort?: number | undefined;
}

/** Other registrars that are counted: what is made up must not keep us from announcing ourselves. */
const maxOthers = 64;

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #channel: MulticastChannel;
  readonly #announcement: Uint8Array;
  /** The other registrars that announce themselves, and until when each counts. */
  readonly #others = new Map<number, number>();
  #timer: Timer | undefined;

  /** Announces at once, and from then on every (N + 1) x T6, with N the number of others. */
  constructor(options: AnnouncerOptions) {
    const { serverId, clock, transport, group, address, sctpPort } = options;
    this.#options = options;
    const transports: Transport[] = [{ type: 'tcp', port: address.port, address: address.host }];
    if (sctpPort !== undefined) {
      transports.push({ type: 'sctp', port: sctpPort, use: 'dataOnly', addresses: [address.host] });
    }
    this.#announcement = encodeAsap({ type: 'serverAnnounce', serverId, transports });
    this.#channel = joinAnnouncements(transport, group, clock, (bytes) => this.#hear(bytes));
    this.#announce();
  }

  close(): void {
    this.#timer?.cancel();
    this.#channel.close();
  }

  #announce(): void {
    const { clock } = this.#options;
    const now = clock.now();
    this.#channel.send(this.#announcement);
    for (const [serverId, until] of this.#others) if (until <= now) this.#others.delete(serverId);
    this.#timer = clock.setTimeout(() => this.#announce(), this.#period, 'background');
  }

  /** (N + 1) x T6. */
  get #period(): number {
    return (this.#others.size + 1) * this.#options.interval;
  }

  #hear(bytes: Uint8Array): void {
    const other = decodeAnnouncement(bytes)?.serverId;
    if (other === undefined || other === this.#options.serverId) return;
    if (!this.#others.has(other) && this.#others.size >= maxOthers) return;
    // It announces as seldom as we do; two may be lost.
    this.#others.set(other, this.#options.clock.now() + 3 * (this.#period + this.#options.interval));
  }
}
