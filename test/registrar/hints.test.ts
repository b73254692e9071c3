/** Hints of users to a policy of the registrar's own: "those in your region first", as docs/policies.md shows it. */

import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import type { MemberPolicy, MemberSelector, PolicyMember } from '../../lib/policy/member-policy.js';
import { RankPicker } from '../../lib/policy/picker.js';
import { PolicyRegistry } from '../../lib/policy/registry.js';
import { RoundRobinSelector } from '../../lib/policy/round-robin.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { poolElement, World } from '../asap/world.js';

/** Private: the highest bit. The data is the region. */
const nearFirstType = 0x8000_0042;

function regionOf(policy: MemberSelectionPolicy): string {
  return policy.type === 'other' ? Buffer.from(policy.data).toString() : '';
}

/** A circle for each region; those of the user's own come first. */
class NearFirstSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #regions = new Map<string, RoundRobinSelector<Member>>();
  readonly #regionOf = new Map<Member, string>();

  get size(): number {
    return this.#regionOf.size;
  }

  add(member: Member): void {
    const region = regionOf(member.policy);
    const circle = this.#regions.get(region) ?? new RoundRobinSelector<Member>();
    this.#regions.set(region, circle);
    this.#regionOf.set(member, region);
    circle.add(member);
  }

  update(member: Member): void {
    if (this.#regionOf.get(member) === regionOf(member.policy)) return;
    this.remove(member);
    this.add(member);
  }

  remove(member: Member): void {
    const region = this.#regionOf.get(member) ?? '';
    this.#regionOf.delete(member);
    const circle = this.#regions.get(region);
    circle?.remove(member);
    if (circle?.size === 0) this.#regions.delete(region);
  }

  select(count: number, hint?: Uint8Array): Member[] {
    const own = this.#regions.get(Buffer.from(hint ?? []).toString());
    const answer = own?.select(count) ?? [];
    for (const circle of this.#regions.values()) {
      if (circle !== own && answer.length < count) answer.push(...circle.select(count - answer.length));
    }
    return answer;
  }
}

const nearFirst: MemberPolicy = {
  policyType: nearFirstType,
  createSelector: <Member extends PolicyMember>(): MemberSelector<Member> => new NearFirstSelector<Member>(),
  createPicker: (elements) => new RankPicker(elements),
};

function scene(policies?: PolicyRegistry): World {
  const world = new World();
  world.registrar('10.0.0.1', policies === undefined ? {} : { policies });
  for (const [identifier, region] of ['eu', 'us', 'eu', 'asia'].entries()) {
    const far = world.scripted(`10.0.1.${identifier}`).connect('10.0.0.1');
    const policy = { type: 'other', policyType: nearFirstType, data: Buffer.from(region) } as const;
    const element = poolElement(identifier, `10.0.1.${identifier}`, { policy });
    far.send({ type: 'registration', poolHandle: 'echo', poolElement: element });
    world.run(10);
  }
  return world;
}

function identifiers(elements: readonly { readonly identifier: number }[] | undefined): number[] {
  return (elements ?? []).map(({ identifier }) => identifier);
}

test("a user's hint reaches the policy of the registrar, which selects by it", (t) => {
  const world = scene(new PolicyRegistry().add(nearFirst));
  for (const [hint, first] of [
    ['us', [1]],
    ['eu', [0, 2]],
    [Buffer.from('asia'), [3]],
    [(poolHandle: string) => (poolHandle === 'echo' ? 'us' : undefined), [1]],
  ] as const) {
    const user = world.user('10.0.0.9', '10.0.0.1', { hint });
    const log = user.resolve('echo');
    world.run(10);
    t.deepEqual(identifiers(log.resolution?.elements).slice(0, first.length).sort(), [...first]);
    t.is(log.resolution?.elements.length, 4);
  }
});

test('subscribers get what changes selected by their own hints', (t) => {
  const world = scene(new PolicyRegistry().add(nearFirst));
  const seen = new Map<string, number[]>();
  for (const hint of ['us', 'asia']) {
    const user = world.user('10.0.0.9', '10.0.0.1', { hint });
    user.do(() => {
      user.scope.endpoint.subscribe('echo', (resolution) => void seen.set(hint, identifiers(resolution?.elements)));
    });
  }
  world.run(100);
  const policy = { type: 'other', policyType: nearFirstType, data: Buffer.from('asia') } as const;
  const far = world.scripted('10.0.1.9').connect('10.0.0.1');
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(9, '10.0.1.9', { policy }) });
  world.run(100);
  t.is(seen.get('us')?.[0], 1);
  t.deepEqual(seen.get('asia')?.slice(0, 2).sort(), [3, 9]);
  t.is(seen.get('us')?.length, 5);
});

test('a hint is nothing to policies that do not heed it', (t) => {
  const world = scene();
  const log = world.user('10.0.0.9', '10.0.0.1', { hint: 'us' }).resolve('echo');
  world.run(10);
  t.deepEqual(identifiers(log.resolution?.elements), [0, 1, 2, 3]);
});

for (const [hint, code] of [
  [5, 'ERR_INVALID_ARG_TYPE'],
  [new Uint8Array(257), 'ERR_INVALID_ARG_VALUE'],
] as const) {
  test(`a hint of ${typeof hint} is refused with ${code}`, (t) => {
    t.throws(() => new OperationalScope({ hint: hint as never }), { code });
  });
}
