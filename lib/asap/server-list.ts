/**
 * The registrars that an endpoint knows (RFC 5352 section 3.6): those that are configured, by address or by name, and
 * those that announce themselves. Names are looked up anew as each hunt begins.
 */

import { isIP } from 'node:net';
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { NameResolver, ServiceRecord, TransportAddress } from '../transport/transport.js';
import { formatAddress } from '../transport/transport.js';

export interface ServerListOptions {
  /** Addresses; `host` may be a DNS name, and one that begins with '_' is that of a service (SRV, its port counts). */
  readonly configured: readonly TransportAddress[];
  readonly clock: Clock;
  readonly random: Random;
  readonly names: NameResolver;
  /** T7-ENRPoutdate: how long an announcement counts, in milliseconds. */
  readonly announcementLifetime: number;
  /** Announced addresses that are kept. */
  readonly maxAnnounced: number;
}

/** Of one sender, so that a single one cannot fill the list: more addresses than a registrar is likely to have. */
const maxAnnouncedOfHost = 8;

interface Announced {
  readonly address: TransportAddress;
  /** The host that announced it. */
  readonly source: string;
  until: number;
}

/** Why names could not be looked up, by name. */
export type LookupFailures = ReadonlyMap<string, Error>;

export class ServerList {
  readonly #options: ServerListOptions;
  /** What each name stood for when it was looked up last. */
  readonly #found = new Map<string, readonly TransportAddress[]>();
  /** In the order in which they are tried. */
  #announced: Announced[] = [];

  constructor(options: ServerListOptions) {
    this.#options = options;
  }

  /** Whether there are names to look up. */
  get hasNames(): boolean {
    return this.#options.configured.some(isName);
  }

  /** The addresses that are known at present, each once: configured ones first, in their order. */
  get addresses(): readonly TransportAddress[] {
    const { configured, clock } = this.#options;
    const now = clock.now();
    this.#announced = this.#announced.filter(({ until }) => until > now);
    const all = new Map<string, TransportAddress>();
    for (const given of configured) {
      for (const address of isName(given) ? (this.#found.get(formatAddress(given)) ?? []) : [given]) {
        all.set(formatAddress(address), address);
      }
    }
    for (const { address } of this.#announced) {
      const key = formatAddress(address);
      if (!all.has(key)) all.set(key, address);
    }
    return [...all.values()];
  }

  /** Whether a registrar is known at that host. */
  hasHost(host: string): boolean {
    return this.addresses.some((address) => address.host === host);
  }

  /**
   * Looks all names up. One that cannot be looked up keeps what it stood for last. Calls back once, maybe at once;
   * the addresses are known by then.
   */
  lookUp(callback: (failures: LookupFailures) => void): void {
    const names = this.#options.configured.filter(isName);
    const failures = new Map<string, Error>();
    let open = 1;
    const done = (): void => {
      if (--open === 0) callback(failures);
    };
    for (const name of names) {
      open++;
      this.#lookUpOne(name, (error, addresses) => {
        if (error === undefined) this.#found.set(formatAddress(name), addresses);
        else failures.set(formatAddress(name), error);
        done();
      });
    }
    done();
  }

  /**
   * A registrar announced itself: its addresses are known for T7 from now on. Returns whether any of them is new. When
   * the list is full, new ones are ignored until old ones are out of date.
   */
  announced(addresses: readonly TransportAddress[], source: string): boolean {
    const { clock, random, announcementLifetime, maxAnnounced } = this.#options;
    const now = clock.now();
    this.#announced = this.#announced.filter((known) => known.until > now);
    // The more registrars there are, the more seldom each announces itself.
    const until = now + announcementLifetime * Math.max(1, this.#announced.length / 2);
    let isNew = false;
    for (const address of addresses) {
      const key = formatAddress(address);
      const known = this.#announced.find((other) => formatAddress(other.address) === key);
      if (known !== undefined) {
        known.until = until;
        continue;
      }
      const ofSource = this.#announced.filter((other) => other.source === source).length;
      if (this.#announced.length >= maxAnnounced || ofSource >= maxAnnouncedOfHost) break;
      // Anywhere among the others: who all hear the same registrar first must not all go to it.
      const place = Math.floor(random.uniform() * (this.#announced.length + 1));
      this.#announced.splice(place, 0, { address, source, until });
      isNew = true;
    }
    return isNew;
  }

  #lookUpOne(
    { host, ...rest }: TransportAddress,
    callback: (error: Error | undefined, addresses: readonly TransportAddress[]) => void,
  ): void {
    const { names } = this.#options;
    if (!host.startsWith('_')) {
      names.addresses(host, (error, found) => {
        callback(
          error,
          found.map((address) => ({ ...rest, host: address, name: host })),
        );
      });
      return;
    }
    names.services(host, (error, services) => {
      if (error === undefined) this.#lookUpTargets(this.#inOrder(services), callback);
      else callback(error, []);
    });
  }

  /** The hosts that SRV records name; an error only if none of them has an address. */
  #lookUpTargets(
    services: readonly ServiceRecord[],
    callback: (error: Error | undefined, addresses: readonly TransportAddress[]) => void,
  ): void {
    const found: TransportAddress[][] = services.map(() => []);
    let failure: Error | undefined;
    let open = services.length;
    if (open === 0) callback(new Error('no service'), []);
    for (const [i, { name, port }] of services.entries()) {
      this.#options.names.addresses(name, (error, addresses) => {
        failure ??= error;
        found[i] = addresses.map((address) => ({ host: address, port, name }));
        if (--open > 0) return;
        const all = found.flat();
        callback(all.length === 0 ? (failure ?? new Error('no address')) : undefined, all);
      });
    }
  }

  /** RFC 2782: by priority, and among equals drawn by weight, each once. */
  #inOrder(services: readonly ServiceRecord[]): ServiceRecord[] {
    const { random } = this.#options;
    const left = services.slice(0, maxServices).sort((a, b) => a.priority - b.priority);
    const ordered: ServiceRecord[] = [];
    while (left.length > 0) {
      const equals = left.filter(({ priority }) => priority === left[0]?.priority);
      // One more for each, so that weight 0 has a small chance.
      let draw = random.uniform() * equals.reduce((sum, { weight }) => sum + weight + 1, 0);
      const chosen = equals.find(({ weight }) => {
        draw -= weight + 1;
        return draw < 0;
      }) as ServiceRecord;
      ordered.push(chosen);
      left.splice(left.indexOf(chosen), 1);
    }
    return ordered;
  }
}

/** SRV records of one name that are followed. */
const maxServices = 32;

function isName({ host }: TransportAddress): boolean {
  return isIP(host.includes('%') ? host.slice(0, host.indexOf('%')) : host) === 0;
}
