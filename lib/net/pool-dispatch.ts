/** Chooses where the messages of a `Pool` go (RFC 5352 section 6.5.2), in the order in which they were sent. */

import type { Cancellable, Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import { tcpMappingAddresses } from '../mapping/offer.js';
import type { PoolView } from '../session/candidates.js';
import { formatAddress } from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { poolView } from './pool-access.js';
import type { Target } from './pool-options.js';

/** Called once, later: with the elements, at least one but for 'all', or with an error. */
type Chosen = (error: Error | undefined, elements: readonly PoolElement[]) => void;

interface Waiting {
  readonly target: Target;
  readonly chosen: Chosen;
}

/** All that there are. */
const everyElement = 0xffff_ffff;

/** Targets of one kind are found in the same answer of the registrar. */
function kindOf({ type }: Target): 'policy' | 'named' | 'all' {
  if (type === 'all') return 'all';
  return type === 'one' || type === 'last' ? 'policy' : 'named';
}

export class PoolDispatch {
  readonly #scope: OperationalScope;
  readonly #pool: string;
  readonly #timeout: number;
  readonly #insist: boolean;
  /** They wait for an answer of the registrar; the first one has asked for it. */
  #waiting: Waiting[] = [];
  #asking = false;
  /** The answer that was chosen from last. */
  #view: PoolView | undefined;
  /** PE identifier of the one that was chosen last. */
  #last: number | undefined;

  /** `timeout`: milliseconds for a registrar and the pool to come up. `insist`: as of `poolAccess`. */
  constructor(scope: OperationalScope, pool: string, timeout: number, insist: boolean) {
    this.#scope = scope;
    this.#pool = pool;
    this.#timeout = timeout;
    this.#insist = insist;
  }

  choose(target: Target, chosen: Chosen): Cancellable {
    const waiting = { target, chosen };
    this.#waiting.push(waiting);
    this.#ask();
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
      },
    };
  }

  #ask(): void {
    const [first] = this.#waiting;
    if (this.#asking || first === undefined) return;
    this.#asking = true;
    const kind = kindOf(first.target);
    const options = {
      timeout: this.#timeout,
      ...(kind === 'policy' ? {} : { elementsWanted: everyElement }),
      // Who is left out because the cache is old would never know.
      ...(kind === 'all' ? { fresh: true } : {}),
    };
    this.#scope.endpoint.awaitPool(toPoolHandle(this.#pool), options, (error, resolution) => {
      this.#asking = false;
      const others = this.#waiting.findIndex(({ target }) => kindOf(target) !== kind);
      for (const { target, chosen } of this.#waiting.splice(0, others < 0 ? this.#waiting.length : others)) {
        if (resolution === undefined) chosen(error, []);
        else this.#chooseFrom(resolution, target, chosen);
      }
      this.#ask();
    });
  }

  #chooseFrom(resolution: Resolution, target: Target, chosen: Chosen): void {
    if (target.type === 'all') {
      const own = target.self ? new Set<number>() : this.#ownElements(resolution);
      chosen(
        undefined,
        resolution.elements.filter(({ identifier }) => !own.has(identifier)),
      );
      return;
    }
    const element = this.#find(resolution, target);
    if (element !== undefined) {
      this.#last = element.identifier;
      chosen(undefined, [element]);
      return;
    }
    const facts = { poolHandle: this.#pool, origin: 'remote' } as const;
    const named =
      target.type === 'element'
        ? { element: target.identifier }
        : { detail: target.type === 'address' ? `none at ${formatAddress(target.address)}` : 'it is empty' };
    chosen(new RserpoolError('ERR_RSERPOOL_UNKNOWN_ELEMENT', { ...facts, ...named }), []);
  }

  #find(resolution: Resolution, target: Exclude<Target, { type: 'all' }>): PoolElement | undefined {
    const { elements } = resolution;
    switch (target.type) {
      case 'element':
        return elements.find(({ identifier }) => identifier === target.identifier);
      case 'address': {
        const wanted = formatAddress(target.address);
        return elements.find((one) =>
          tcpMappingAddresses(one, this.#insist).some((address) => formatAddress(address) === wanted),
        );
      }
      case 'last': {
        const last = elements.find(({ identifier }) => identifier === this.#last);
        return last ?? this.#byPolicy(resolution);
      }
      default:
        return this.#byPolicy(resolution);
    }
  }

  #byPolicy(resolution: Resolution): PoolElement | undefined {
    if (this.#view?.picker.elements !== resolution.elements) this.#view = poolView(this.#scope, resolution);
    const { picker, state } = this.#view;
    const { endpoint } = this.#scope;
    const { poolHandle, elements } = resolution;
    const isSuspected = ({ identifier }: PoolElement): boolean => endpoint.isSuspected(poolHandle, identifier);
    const next = picker.next(state);
    // Every message comes this way: only where its element failed lately are all looked at.
    if (next === undefined || !isSuspected(next)) return next;
    return picker.next(state, new Set(elements.filter(isSuspected).map(({ identifier }) => identifier))) ?? next;
  }

  /** The elements of the pool that are this scope's own. */
  #ownElements({ poolHandle }: Resolution): ReadonlySet<number> {
    const own = [...this.#scope.endpoint.elements].filter((element) => element.poolHandle === poolHandle);
    return new Set(own.map(({ identifier }) => identifier));
  }
}
