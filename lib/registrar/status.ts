/** What a registrar tells of itself to those who watch it: plain data, as of the moment of the call. */

import type { EnrpServer, PeerFacts } from '../enrp/enrp-server.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { HandlespacePool } from '../handlespace/pool.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';

/** Counts and gauges of a registrar; counts are since its start. */
export interface RegistrarStats {
  readonly connections: number;
  readonly pools: number;
  readonly elements: number;
  /** Elements whose home server this is. */
  readonly ownedElements: number;
  readonly subscriptions: number;
  readonly registrationsAccepted: number;
  readonly registrationsRejected: number;
  readonly resolutions: number;
  readonly pushes: number;
  readonly keepAlivesSent: number;
}

/** What one server owns, as this registrar knows it. Two registrars agree when all of theirs are equal. */
export interface OwnerStatus {
  readonly serverId: number;
  readonly elements: number;
  /** PE checksum (RFC 5353 section 3.6.2). */
  readonly checksum: number;
}

export interface RegistrarStatus {
  /** ENRP server identifier. */
  readonly serverId: number;
  /** starting: its handlespace is being initialised (RFC 5353 section 3.2), elements and users are not served. */
  readonly state: 'starting' | 'serving';
  readonly stats: RegistrarStats;
  /** Elements taken over from failed peers that were not heard of yet. */
  readonly claims: number;
  /** Takeovers of its own that are in arbitration. */
  readonly takeovers: number;
  readonly peers: readonly PeerFacts[];
  /** By server identifier; those that own nothing are left out. */
  readonly owners: readonly OwnerStatus[];
}

export interface PoolStatus {
  /** The pool handle as text for people. */
  readonly poolHandle: string;
  readonly policy: MemberSelectionPolicy;
  readonly size: number;
  /** Elements that answers are made of: the others have lost their connection just now. */
  readonly available: number;
  /** In the order of their first registration. */
  readonly elements: readonly PoolElement[];
}

export interface StatusSources {
  readonly serverId: number;
  readonly handlespace: Handlespace;
  readonly enrp: EnrpServer | undefined;
  readonly stats: RegistrarStats;
  readonly claims: number;
}

export function registrarStatus({ serverId, handlespace, enrp, stats, claims }: StatusSources): RegistrarStatus {
  const owners = [...handlespace.owners()].sort((one, other) => one - other);
  return {
    serverId,
    state: enrp === undefined || enrp.ready ? 'serving' : 'starting',
    stats,
    claims,
    takeovers: enrp?.stats.takeovers ?? 0,
    peers: enrp?.peers ?? [],
    owners: owners.map((owner) => ({
      serverId: owner,
      elements: handlespace.owned(owner).size,
      checksum: handlespace.checksum(owner),
    })),
  };
}

/** All pools, with at most `maxElements` elements in all: there may be too many to tell of in one turn. */
export function poolStatus(handlespace: Handlespace, maxElements: number): PoolStatus[] {
  let left = maxElements;
  return Array.from(handlespace.pools(), (pool) => {
    const elements = firstElements(pool, left);
    left -= elements.length;
    const { policy, size, available } = pool;
    return { poolHandle: poolHandleText(pool.poolHandle), policy, size, available, elements };
  });
}

function firstElements(pool: HandlespacePool, count: number): PoolElement[] {
  const elements: PoolElement[] = [];
  for (const { element } of pool.entries()) {
    if (elements.length >= count) break;
    elements.push(element);
  }
  return elements;
}
