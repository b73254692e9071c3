/** Who owns which elements, and the PE checksum of each owner (RFC 5353 section 3.6). */

import { PeChecksum } from '../wire/pe-checksum.js';
import type { StoredEntry } from './entry.js';

interface Owner {
  /** A Set, because iterating it survives removals and additions: tables are sent in pieces. */
  readonly entries: Set<StoredEntry>;
  readonly checksum: PeChecksum;
}

const none: ReadonlySet<StoredEntry> = new Set();
const emptyChecksum = new PeChecksum().value;

export class Ownership {
  readonly #owners = new Map<number, Owner>();

  /** Counts the entry under its present owner. */
  add(entry: StoredEntry): void {
    let owner = this.#owners.get(entry.owner);
    if (owner === undefined) {
      owner = { entries: new Set(), checksum: new PeChecksum() };
      this.#owners.set(entry.owner, owner);
    }
    owner.entries.add(entry);
    owner.checksum.add(entry.poolHandle, entry.identifier);
  }

  /** Takes the entry from its present owner; an owner of nothing is forgotten. */
  remove(entry: StoredEntry): void {
    const owner = this.#owners.get(entry.owner);
    if (owner === undefined) return;
    owner.entries.delete(entry);
    owner.checksum.remove(entry.poolHandle, entry.identifier);
    if (owner.entries.size === 0) this.#owners.delete(entry.owner);
  }

  /** The servers that own at least one element. */
  owners(): IterableIterator<number> {
    return this.#owners.keys();
  }

  owned(owner: number): ReadonlySet<StoredEntry> {
    return this.#owners.get(owner)?.entries ?? none;
  }

  checksum(owner: number): number {
    return this.#owners.get(owner)?.checksum.value ?? emptyChecksum;
  }
}
