/** Selection by the application (draft-conrad-rserpool-service section 5.3): elements as it sees them. */

import { invalidArgumentValue } from '../arguments.js';
import type { Clock } from '../clock.js';
import type { Picker, PickerState } from '../policy/member-policy.js';
import type { MemberSelectionPolicy, PoolElement, Transport } from '../wire/parameters.js';
import { guard } from './guarded.js';

/** A pool element as nameservice mode gives it. Frozen. */
export interface PoolServer {
  /** PE identifier. */
  readonly identifier: number;
  /** The first of `addresses`. */
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'udpLite' | 'sctp' | 'dccp';
  /** All addresses of the transport: several with SCTP, else one. */
  readonly addresses: readonly string[];
  /** Its member selection policy with its values; round robin if it stated none. */
  readonly policy: MemberSelectionPolicy;
}

/**
 * The application's own selection (section 5.3). Gets the elements that are left, in the registrar's order, and returns
 * the one to use, or a list of which the first is used; undefined or an empty list: none of these. Called anew for each
 * server that is needed.
 */
export type SelectServer = (servers: readonly PoolServer[]) => PoolServer | readonly PoolServer[] | undefined;

/** What the application selects of those that are not excluded; undefined: none of them. */
export function selected(
  select: SelectServer,
  servers: Iterable<PoolServer>,
  excluded: ReadonlySet<number> | undefined,
): PoolServer | undefined {
  const left = [...servers].filter((server) => excluded?.has(server.identifier) !== true);
  if (left.length === 0) return undefined;
  const choice = select(left);
  const first: unknown = Array.isArray(choice) ? choice[0] : choice;
  if (first === undefined || first === null) return undefined;
  if (left.includes(first as PoolServer)) return first as PoolServer;
  throw invalidArgumentValue('options.select', first, 'must return elements that it was given');
}

/** Asks the application each time. What it throws is thrown on the next turn, and selects nobody. */
export class CallbackPicker implements Picker {
  readonly elements: readonly PoolElement[];
  readonly #select: SelectServer;
  readonly #clock: Clock;
  readonly #servers: ReadonlyMap<number, PoolServer>;

  constructor(elements: readonly PoolElement[], select: SelectServer, clock: Clock) {
    this.elements = elements;
    this.#select = select;
    this.#clock = clock;
    this.#servers = serversOf(elements);
  }

  next(_state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined {
    const server = guard(this.#clock, () => selected(this.#select, this.#servers.values(), excluded));
    return server && this.elements.find(({ identifier }) => identifier === server.identifier);
  }
}

/** The elements of an answer that have an IP address and a port, by PE identifier, in the answer's order. */
export function serversOf(elements: readonly PoolElement[]): ReadonlyMap<number, PoolServer> {
  const servers = new Map<number, PoolServer>();
  for (const element of elements) {
    const server = serverOf(element);
    if (server !== undefined) servers.set(element.identifier, server);
  }
  return servers;
}

function serverOf(element: PoolElement): PoolServer | undefined {
  const { identifier, userTransport, policy = { type: 'roundRobin' } } = element;
  const addresses = addressesOf(userTransport);
  const [address] = addresses;
  if (userTransport.type === 'opaque' || address === undefined) return undefined;
  const { type: protocol, port } = userTransport;
  return Object.freeze({ identifier, address, port, protocol, addresses, policy });
}

function addressesOf(transport: Transport): readonly string[] {
  switch (transport.type) {
    case 'sctp':
      return transport.addresses;
    case 'opaque':
      return [];
    default:
      return [transport.address];
  }
}
