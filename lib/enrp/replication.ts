/**
 * The handlespace as it is shared (RFC 5353 section 3.3): what we own is announced, what peers own is taken over.
 *
 * Each element has one home server, its owner, and only the owner has a say about it:
 *
 * - ADD_PE tells that an element registered with the sender just now. It makes the sender the owner.
 * - DEL_PE of the owner removes the element. One of anybody else is a report of unreachability: the owner, and nobody
 *   else, asks the element.
 * - A handle table tells what its sender has owned for some time, so it is weaker than ADD_PE. If it lists an element
 *   that we own ourselves, as after a healed partition, then the element stays with the one of us that it is connected
 *   to (we tell the other one by ADD_PE), and if we have no connection to it, with the larger server identifier.
 */

import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { ChangeReason, HandlespaceChange } from '../handlespace/change.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { HandleUpdate } from '../wire/messages.js';
import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import { isLargerThan } from '../wire/pool-element.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { ElementHooks } from './element-hooks.js';
import type { EnrpLimits } from './options.js';
import type { Peer } from './peer.js';
import type { PeerList } from './peer-list.js';

export interface ReplicationSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly limits: EnrpLimits;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly elements: ElementHooks;
}

/** An element that a peer told of and that was not taken over, or not as told. */
const refused = diagnosticEvent<{ peer: string; poolHandle: string; identifier: number; reason: string }>(
  'enrp',
  'element-refused',
);

/** Registrations, and their ends, are announced; what follows from a peer's announcement is known to all. */
const announced: ReadonlySet<ChangeReason> = new Set([
  'registration',
  'deregistration',
  'expiry',
  'connectionBroken',
  'unreachable',
  'administration',
]);

export class Replication {
  readonly #around: ReplicationSurroundings;

  constructor(around: ReplicationSurroundings) {
    this.#around = around;
  }

  /** Announces a change of our own handlespace. */
  onChange({ type, poolHandle, entry, reason }: HandlespaceChange): void {
    if (!announced.has(reason)) return;
    const ours = entry.owner === this.#around.serverId;
    // Another server's element that we found unreachable: its owner is to ask it.
    if (!ours && (type !== 'removed' || reason !== 'unreachable')) return;
    this.#around.peers.announce(this.#update(type === 'removed' ? 'delPe' : 'addPe', poolHandle, entry.element, 0));
  }

  /** A peer's ENRP_HANDLE_UPDATE (section 3.3). */
  onUpdate(peer: Peer, { action, poolHandle, poolElement }: HandleUpdate): void {
    if (action === 'delPe') {
      this.#onRemoval(peer, poolHandle, poolElement);
      return;
    }
    const { homeServerId } = poolElement;
    if (homeServerId !== 0 && homeServerId !== peer.id) {
      this.#refuse(peer, poolHandle, poolElement, `announced for ${formatIdentifier(homeServerId)}`);
      return;
    }
    this.#take(peer, poolHandle, poolElement, peer.id, 'handleUpdate');
  }

  /** An element of a handle table that `peer` sent. `owner`: by that table. Returns false if it stays as it is here. */
  onListed(peer: Peer, poolHandle: PoolHandle, element: PoolElement, owner: number): boolean {
    const { handlespace, serverId, elements, peers } = this.#around;
    const present = handlespace.entry(poolHandle, element.identifier);
    if (present?.owner === serverId && owner !== serverId) {
      const connected = elements.isConnected(present);
      if (connected) {
        const owning = owner === peer.id ? peer : peers.get(owner);
        owning?.channel?.send(this.#update('addPe', poolHandle, present.element, owning.id));
      }
      if (connected || serverId > owner) {
        this.#refuse(peer, poolHandle, element, 'it is ours');
        return false;
      }
    }
    return this.#take(peer, poolHandle, element, owner, 'handleTable');
  }

  #onRemoval(peer: Peer, poolHandle: PoolHandle, { identifier }: PoolElement): void {
    const { handlespace, serverId, elements } = this.#around;
    const present = handlespace.entry(poolHandle, identifier);
    if (present === undefined) return;
    if (present.owner === peer.id) handlespace.remove(poolHandle, identifier, 'handleUpdate');
    else if (present.owner === serverId) elements.verify(present);
  }

  #take(peer: Peer, poolHandle: PoolHandle, element: PoolElement, owner: number, reason: ChangeReason): boolean {
    const { handlespace, clock, limits, serverId } = this.#around;
    if (isLargerThan(element, limits.maxElementSize)) {
      this.#refuse(peer, poolHandle, element, 'limit: maxElementSize');
      return false;
    }
    const present = handlespace.entry(poolHandle, element.identifier);
    if (present?.owner !== owner && handlespace.owned(owner).size >= limits.maxElementsPerPeer) {
      this.#refuse(peer, poolHandle, element, 'limit: maxElementsPerPeer');
      return false;
    }
    // The registration life of others' elements is theirs to enforce.
    const facts = { now: clock.now(), owner, expires: owner === serverId, reason };
    const result = handlespace.replicate(poolHandle, element, facts);
    if (result.type !== 'rejected') return true;
    this.#refuse(peer, poolHandle, element, result.rejection.type);
    return false;
  }

  #update(action: HandleUpdate['action'], poolHandle: PoolHandle, poolElement: PoolElement, to: number): HandleUpdate {
    const senderId = this.#around.serverId;
    const facts = { senderId, receiverId: to, takeoverSuggested: false } as const;
    return { type: 'handleUpdate', ...facts, action, poolHandle, poolElement };
  }

  #refuse(peer: Peer, poolHandle: PoolHandle, { identifier }: PoolElement, reason: string): void {
    if (!refused.watched) return;
    refused.publish({ peer: formatIdentifier(peer.id), poolHandle: poolHandleText(poolHandle), identifier, reason });
  }
}
