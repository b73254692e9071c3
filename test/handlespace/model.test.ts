import test from 'ava';
import fc from 'fast-check';
import type { HandlespaceChange } from '../../lib/handlespace/change.js';
import type { Rejection } from '../../lib/handlespace/rejection.js';
import type { MemberSelectionPolicy, PoolElement } from '../../lib/wire/parameters.js';
import { PeChecksum } from '../../lib/wire/pe-checksum.js';
import { element, expiryOf, handlespace } from './elements.js';

/** One element of the naive model, which looks everything up by going through a list. */
interface Naive {
  readonly poolHandle: string;
  here: boolean;
  element: PoolElement;
  owner: number;
  expiresAt: number;
  suspended: boolean;
  marked: boolean;
}

const poolHandles = ['', 'a', 'EchoPool'];
const servers = [1, 2, 0xffff_ffff];
const limits = { maxPools: 2, maxElementsPerPool: 4, maxElements: 6, maxElementsPerAnswer: 3 };

const poolHandle = fc.constantFrom(...poolHandles);
const identifier = fc.constantFrom<number[]>(0, 1, 2, 3, 0xffff_ffff);
const server = fc.constantFrom(...servers);
const policy = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('leastUsed' as const), load: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant<MemberSelectionPolicy>({ type: 'roundRobin' }) },
);
const registration = { poolHandle, identifier, owner: server, policy, life: fc.constantFrom(-1, 1, 2, 3) };
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('register' as const), ...registration }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('replicate' as const), ...registration }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('remove' as const, 'suspend' as const, 'resume' as const),
      poolHandle,
      identifier,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('resolve' as const), poolHandle, wanted: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('expire' as const), later: fc.constantFrom(0, 500, 1000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('takeOver' as const), from: server, to: server }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('resynchronise' as const), owner: server, lost: fc.array(identifier) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('mark' as const, 'removeMarked' as const), owner: server }),
  },
);

class Model {
  elements: Naive[] = [];
  readonly #founders = new Map<string, boolean>();
  now = 0;
  /** What has registered here, ever. */
  readonly here: [string, PoolElement][] = [];

  wasHere(handle: string, made: PoolElement): boolean {
    return this.here.some(([pool, { policy: one }]) => pool === handle && one?.type === made.policy?.type);
  }

  in(handle: string): Naive[] {
    return this.elements.filter((each) => each.poolHandle === handle);
  }

  find(handle: string, id: number): Naive | undefined {
    return this.in(handle).find((each) => each.element.identifier === id);
  }

  without(gone: (each: Naive) => boolean): number[] {
    const removed = this.elements.filter(gone);
    this.elements = this.elements.filter((each) => !gone(each));
    return removed.map((each) => each.element.identifier).sort();
  }

  /** What a registration must come to, given the pool's overall policy. */
  outcome(
    handle: string,
    made: PoolElement,
    here: boolean,
    overall: string | undefined,
    checked: boolean,
  ): 'added' | 'updated' | Rejection['type'] {
    if (checked && overall !== undefined && overall !== made.policy?.type) return 'inconsistentPoolPolicy';
    const present = this.find(handle, made.identifier);
    // Those that registered here and those that peers told of have the limits each for themselves.
    if (present !== undefined && present.here === here) {
      if (here || present.owner === made.homeServerId) return 'updated';
    }
    const counted = this.elements.filter((each) => each !== present && each.here === here);
    if (counted.length >= limits.maxElements) return 'lackOfResources';
    if (!this.founders.has(handle)) {
      const pools = [...this.founders.values()].filter((one) => one === here);
      return pools.length >= limits.maxPools ? 'lackOfResources' : 'added';
    }
    const inPool = counted.filter((each) => each.poolHandle === handle);
    if (inPool.length >= limits.maxElementsPerPool) return 'lackOfResources';
    return present === undefined ? 'added' : 'updated';
  }

  /** Whether pools that there are began by a registration here. */
  get founders(): ReadonlyMap<string, boolean> {
    for (const handle of [...this.#founders.keys()]) if (this.in(handle).length === 0) this.#founders.delete(handle);
    return this.#founders;
  }

  store(handle: string, made: PoolElement, here: boolean): void {
    if (!this.founders.has(handle)) this.#founders.set(handle, here);
    const life = made.registrationLife;
    const facts = {
      element: made,
      here,
      owner: made.homeServerId,
      expiresAt: life === -1 ? Number.POSITIVE_INFINITY : this.now + life * 1000,
      suspended: false,
      marked: false,
    };
    const present = this.find(handle, made.identifier);
    if (present === undefined) this.elements.push({ poolHandle: handle, ...facts });
    else Object.assign(present, facts);
  }
}

test('any sequence of operations leaves the handlespace as a naive list would be', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const mirror = new Map<string, PoolElement>();
      const follow = ({ type, poolHandle: handle, entry }: HandlespaceChange) => {
        const key = `${handle}/${entry.identifier}`;
        t.is(mirror.has(key), type !== 'added');
        if (type === 'removed') mirror.delete(key);
        else mirror.set(key, entry.element);
      };
      const space = handlespace({ ...limits, onChange: follow });
      const model = new Model();
      for (const each of steps) {
        switch (each.type) {
          case 'register':
          case 'replicate': {
            const made = element(each.identifier, {
              homeServerId: each.owner,
              policy: each.policy,
              registrationLife: each.life,
            });
            const overall = space.pool(each.poolHandle)?.policy.type;
            const result = space[each.type](each.poolHandle, made, { now: model.now });
            const outcome = result.type === 'rejected' ? result.rejection.type : result.type;
            // Once elements of that kind registered here, and peers made the pool another: see registration.test.ts.
            const back = outcome !== 'inconsistentPoolPolicy' && model.wasHere(each.poolHandle, made);
            const here = each.type === 'register';
            const expected = model.outcome(each.poolHandle, made, here, overall, here && !back);
            t.is(outcome, expected);
            if (here && result.type !== 'rejected') model.here.push([each.poolHandle, made]);
            if (result.type !== 'rejected') model.store(each.poolHandle, made, here);
            break;
          }
          case 'remove': {
            const removed = space.remove(each.poolHandle, each.identifier, 'deregistration');
            const gone = model.without((one) => one === model.find(each.poolHandle, each.identifier));
            t.deepEqual(removed === undefined ? [] : [removed.identifier], gone);
            break;
          }
          case 'suspend':
          case 'resume': {
            const found = model.find(each.poolHandle, each.identifier);
            t.is(space[each.type](each.poolHandle, each.identifier), found !== undefined);
            if (found !== undefined) found.suspended = each.type === 'suspend';
            break;
          }
          case 'resolve': {
            const elements = space.resolve(each.poolHandle, each.wanted)?.elements;
            const candidates = model.in(each.poolHandle).filter((one) => !one.suspended);
            const count = Math.min(each.wanted === 0 ? 3 : each.wanted, 3, candidates.length);
            t.is(elements?.length, model.in(each.poolHandle).length === 0 ? undefined : count);
            t.is(new Set(elements).size, elements?.length ?? 0);
            t.true((elements ?? []).every((one) => candidates.some((candidate) => candidate.element === one)));
            break;
          }
          case 'expire': {
            model.now += each.later;
            const expired = space.expire(model.now).map((one) => one.identifier);
            t.deepEqual(
              expired.sort(),
              model.without((one) => one.expiresAt <= model.now),
            );
            break;
          }
          case 'takeOver':
            space.takeOver(each.from, each.to, { now: model.now });
            for (const one of model.elements) {
              if (one.owner !== each.from || each.from === each.to) continue;
              one.owner = each.to;
              one.here = false;
              one.marked = false;
              one.element = { ...one.element, homeServerId: each.to };
              if (one.expiresAt !== Number.POSITIVE_INFINITY)
                one.expiresAt = model.now + one.element.registrationLife * 1000;
              // The handlespace made an object of its own: from here on the model compares with that one.
              const taken = space.entry(one.poolHandle, one.element.identifier)?.element;
              t.deepEqual(taken, one.element);
              one.element = taken as PoolElement;
            }
            break;
          case 'mark':
            space.mark(each.owner);
            for (const one of model.elements) if (one.owner === each.owner) one.marked = true;
            break;
          case 'resynchronise':
            // What a peer still has is replicated between the mark and the removal.
            space.mark(each.owner);
            for (const one of model.elements) {
              if (one.owner !== each.owner) continue;
              one.marked = each.lost.includes(one.element.identifier);
              if (one.marked) continue;
              const result = space.replicate(one.poolHandle, one.element, { now: model.now, reason: 'handleTable' });
              const outcome = model.outcome(one.poolHandle, one.element, false, undefined, false);
              t.is(result.type === 'rejected' ? result.rejection.type : result.type, outcome);
              if (outcome === 'updated') model.store(one.poolHandle, one.element, false);
              else one.marked = true;
            }
            break;
          case 'removeMarked': {
            const removed = space.removeMarked(each.owner).map((one) => one.identifier);
            t.deepEqual(
              removed.sort(),
              model.without((one) => one.marked && one.owner === each.owner),
            );
            break;
          }
        }
        compare();
      }

      function compare(): void {
        t.is(space.elementCount, model.elements.length);
        t.is(mirror.size, model.elements.length);
        t.is(space.nextExpiry(), Math.min(Number.POSITIVE_INFINITY, ...model.elements.map((each) => each.expiresAt)));
        for (const owner of servers) {
          const owned = model.elements.filter((each) => each.owner === owner);
          const checksum = new PeChecksum();
          for (const each of owned) checksum.add(each.poolHandle, each.element.identifier);
          t.is(space.checksum(owner), checksum.value);
          t.is(space.owned(owner).size, owned.length);
        }
        for (const each of model.elements) {
          const entry = space.entry(each.poolHandle, each.element.identifier);
          t.is(entry?.element, each.element);
          t.is(mirror.get(`${each.poolHandle}/${each.element.identifier}`), each.element);
          t.deepEqual([entry?.owner, entry?.suspended], [each.owner, each.suspended]);
          t.is(expiryOf(space, each.poolHandle, each.element.identifier), each.expiresAt);
        }
        for (const handle of poolHandles) {
          t.is(space.pool(handle)?.size ?? 0, model.in(handle).length);
          t.is(space.pool(handle)?.available ?? 0, model.in(handle).filter((each) => !each.suspended).length);
        }
      }
    }),
    { numRuns: 400 },
  );
});
