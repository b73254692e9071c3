/**
 * Room for as many of something as a limit says: for as many that came of registrations here, and again for as many that
 * peers told of. Peers who tell of ever more of their own must not lock out those who register here, nor one another: a
 * peer below its share, the limit divided by `sharers`, finds room where the others have used it up. So there is never
 * three times the limit.
 */

/** Peers that have a share: as many as a registrar has unless it is told otherwise. */
const sharers = 64;

/** Of whom something is: of a peer by its server identifier, or 'here'. */
export type Occupant = number | 'here';

export class Room {
  readonly #limit: number;
  #here = 0;
  #told = 0;
  /** By peer; there may be ten thousand pools, and most hear of peers never. */
  #toldBy: Map<number, number> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  isFullFor(occupant: Occupant): boolean {
    if (occupant === 'here') return this.#here >= this.#limit;
    return this.#told >= this.#limit && (this.#toldBy?.get(occupant) ?? 0) >= Math.floor(this.#limit / sharers);
  }

  enter(occupant: Occupant): void {
    if (occupant === 'here') {
      this.#here++;
      return;
    }
    this.#told++;
    this.#toldBy ??= new Map();
    this.#toldBy.set(occupant, (this.#toldBy.get(occupant) ?? 0) + 1);
  }

  leave(occupant: Occupant): void {
    if (occupant === 'here') {
      this.#here--;
      return;
    }
    this.#told--;
    const left = (this.#toldBy?.get(occupant) ?? 0) - 1;
    if (left > 0) this.#toldBy?.set(occupant, left);
    else this.#toldBy?.delete(occupant);
  }
}
