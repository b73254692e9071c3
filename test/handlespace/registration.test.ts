import test from 'ava';
import type { HandlespaceOptions } from '../../lib/handlespace/handlespace.js';
import type { Rejection } from '../../lib/handlespace/rejection.js';
import type { PoolElement, Transport } from '../../lib/wire/parameters.js';
import { answer, element, handlespace, self } from './elements.js';

const now = 1000;
const sctp: Transport = { type: 'sctp', port: 7, use: 'dataOnly', addresses: ['192.0.2.1'] };
const own = { type: 'other', policyType: 0x8000_0001, data: new Uint8Array([1]) } as const;

test('the first element founds the pool and sets its overall policy and transport', (t) => {
  const space = handlespace();
  const first = element(1, { policy: { type: 'leastUsed', load: 9 } });
  t.is(space.register('pool', first, { now }).type, 'added');
  t.deepEqual(space.pool('pool')?.policy, { type: 'leastUsed', load: 9 });
  t.deepEqual(space.pool('pool')?.transport, first.userTransport);
  t.deepEqual(space.resolve('pool'), { policy: { type: 'leastUsed', load: 9 }, elements: [first] });
});

test('an unknown pool has no answer', (t) => {
  t.is(handlespace().resolve('pool'), undefined);
});

const consistency: readonly {
  readonly title: string;
  readonly first: Partial<PoolElement>;
  readonly second: Partial<PoolElement>;
  readonly rejection?: Rejection;
}[] = [
  { title: 'the same', first: {}, second: {} },
  { title: 'round robin unsaid and said', first: {}, second: { policy: { type: 'roundRobin' } } },
  {
    title: 'the same policy with another load',
    first: { policy: { type: 'leastUsed', load: 1 } },
    second: { policy: { type: 'leastUsed', load: 2 } },
  },
  {
    title: 'another policy',
    first: { policy: { type: 'leastUsed', load: 1 } },
    second: { policy: { type: 'random' } },
    rejection: { type: 'inconsistentPoolPolicy', policy: { type: 'leastUsed', load: 1 } },
  },
  {
    title: 'another policy by being unsaid',
    first: { policy: { type: 'random' } },
    second: {},
    rejection: { type: 'inconsistentPoolPolicy', policy: { type: 'random' } },
  },
  {
    title: 'the same private policy',
    first: { policy: own },
    second: { policy: { ...own, data: new Uint8Array([2]) } },
  },
  {
    title: 'another private policy',
    first: { policy: own },
    second: { policy: { ...own, policyType: 0x8000_0002 } },
    rejection: { type: 'inconsistentPoolPolicy', policy: own },
  },
  {
    title: 'the same transport type at another address',
    first: {},
    second: { userTransport: { type: 'tcp', port: 9, address: '2001:db8::1' } },
  },
  {
    title: 'another transport type',
    first: { userTransport: sctp },
    second: {},
    rejection: { type: 'inconsistentTransportType', transport: sctp },
  },
  { title: 'the same transport use', first: { userTransport: sctp }, second: { userTransport: { ...sctp, port: 8 } } },
  {
    title: 'another transport use',
    first: { userTransport: sctp },
    second: { userTransport: { ...sctp, use: 'dataPlusControl' } },
    rejection: { type: 'inconsistentDataControlConfiguration' },
  },
];

for (const { title, first, second, rejection } of consistency) {
  test(`a second element with ${title} is ${rejection === undefined ? 'accepted' : `refused: ${rejection.type}`}`, (t) => {
    const space = handlespace();
    space.register('pool', element(1, first), { now });
    const result = space.register('pool', element(2, second), { now });
    if (rejection === undefined) t.is(result.type, 'added');
    else t.deepEqual(result, { type: 'rejected', rejection });
    t.is(space.elementCount, rejection === undefined ? 2 : 1);
  });

  test(`a re-registration with ${title} is ${rejection === undefined ? 'accepted' : `refused: ${rejection.type}`}`, (t) => {
    const space = handlespace();
    space.register('pool', element(1, first), { now });
    const result = space.register('pool', element(1, second), { now });
    if (rejection === undefined) t.is(result.type, 'updated');
    else t.deepEqual(result, { type: 'rejected', rejection });
    t.deepEqual(space.entry('pool', 1)?.element, element(1, rejection === undefined ? second : first));
  });

  test(`what a peer accepted is accepted: ${title}`, (t) => {
    const space = handlespace();
    space.register('pool', element(1, first), { now });
    t.is(space.replicate('pool', element(2, second), { now }).type, 'added');
    t.deepEqual(answer(space, 'pool')?.sort(), [1, 2]);
  });
}

test('an only element that a peer replaced founds the pool anew', (t) => {
  const space = handlespace();
  space.replicate('pool', element(1), { now });
  space.replicate('pool', element(1, { policy: { type: 'leastUsed', load: 4 }, userTransport: sctp }), { now });
  t.deepEqual(space.pool('pool')?.policy, { type: 'leastUsed', load: 4 });
  t.deepEqual(space.pool('pool')?.transport, sctp);
  t.is(
    space.register('pool', element(2, { policy: { type: 'leastUsed', load: 1 }, userTransport: sctp }), { now }).type,
    'added',
  );
  t.deepEqual(answer(space, 'pool'), [2, 1]);
});

for (const how of ['while its element was here', 'after its elements were gone'] as const) {
  test(`a pool that peers made another one ${how} is again as it was for elements that were in it`, (t) => {
    const space = handlespace();
    const policy = { type: 'leastUsed', load: 1 } as const;
    space.register('pool', element(1, { policy }), { now });
    const theirs = { policy: { type: 'roundRobin' }, homeServerId: 9 } as const;
    if (how === 'after its elements were gone') {
      space.replicate('pool', element(1, { policy, homeServerId: 9 }), { now });
      space.remove('pool', 1, 'handleUpdate');
      space.replicate('pool', element(8, theirs), { now });
    } else {
      space.replicate('pool', element(1, theirs), { now });
    }
    space.replicate('pool', element(9, theirs), { now });
    t.is(space.pool('pool')?.policy.type, 'roundRobin');
    // Others are still turned away: nothing of that kind was here.
    const other = space.register('pool', element(3, { policy: { type: 'random' } }), { now });
    t.is(other.type, 'rejected');
    t.not(space.register('pool', element(1, { policy }), { now }).type, 'rejected');
    t.is(space.pool('pool')?.policy.type, 'leastUsed');
    t.true(answer(space, 'pool')?.includes(1));
    // Once: now it is theirs that is turned away.
    t.is(space.register('pool', element(4, { policy: theirs.policy }), { now }).type, 'rejected');
  });
}

test('a pool that peers made another one, and that elements have joined since, stays so', (t) => {
  const space = handlespace();
  space.register('pool', element(1, { policy: { type: 'leastUsed', load: 1 } }), { now });
  space.replicate('pool', element(1, { policy: { type: 'roundRobin' }, homeServerId: 9 }), { now });
  t.is(space.register('pool', element(2, { policy: { type: 'roundRobin' } }), { now }).type, 'added');
  t.is(space.register('pool', element(3, { policy: { type: 'leastUsed', load: 1 } }), { now }).type, 'rejected');
});

test('a re-registration replaces all attributes and keeps the turn', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3]) space.register('pool', element(identifier), { now });
  const mappings = [{ mapping: 2, version: 1, transports: [{ type: 'tcp', port: 70, address: '192.0.2.9' } as const] }];
  const extensions = [new Uint8Array([0xbf, 0xff, 0, 4])];
  const changed = element(2, { registrationLife: 5, mappings, extensions, asapTransport: sctp });
  t.is(space.register('pool', changed, { now }).type, 'updated');
  t.deepEqual(space.resolve('pool')?.elements, [element(1), changed, element(3)]);
});

test('whoever accepts a registration owns the element from then on', (t) => {
  const space = handlespace();
  space.replicate('pool', element(1, { homeServerId: 77 }), { now });
  t.is(space.entry('pool', 1)?.owner, 77);
  t.is(space.register('pool', element(1, { homeServerId: 77 }), { now, owner: self }).type, 'updated');
  t.is(space.entry('pool', 1)?.owner, self);
  t.is(space.entry('pool', 1)?.element.homeServerId, self);
  t.deepEqual([...space.owners()], [self]);
  t.is(space.checksum(77), 0xffff);
});

test('an identifier that the caller knows to be taken is refused', (t) => {
  const space = handlespace();
  space.register('pool', element(1), { now });
  const result = space.register('pool', element(1, { registrationLife: 1 }), { now, exclusive: true });
  t.deepEqual(result, { type: 'rejected', rejection: { type: 'nonUniquePeIdentifier' } });
  t.deepEqual(space.entry('pool', 1)?.element, element(1));
  t.is(space.register('pool', element(2), { now, exclusive: true }).type, 'added');
});

test('the same identifier in two pools is two elements', (t) => {
  const space = handlespace();
  space.register('one', element(1), { now });
  t.is(space.register('two', element(1), { now }).type, 'added');
  space.remove('one', 1, 'deregistration');
  t.deepEqual(answer(space, 'two'), [1]);
});

const limits: readonly [keyof HandlespaceOptions, readonly string[], string][] = [
  ['maxPools', ['a', 'b'], 'c'],
  ['maxElementsPerPool', ['a', 'a'], 'a'],
  ['maxElements', ['a', 'b'], 'b'],
];

for (const [limit, handles, refused] of limits) {
  for (const way of ['register', 'replicate'] as const) {
    test(`${limit} is kept, and does not stop those who are in already: ${way}`, (t) => {
      const space = handlespace({ [limit]: handles.length });
      handles.forEach((handle, identifier) => void space[way](handle, element(identifier), { now }));
      const rejected = { type: 'rejected', rejection: { type: 'lackOfResources', limit } };
      t.deepEqual(space[way](refused, element(9), { now }) as unknown, rejected);
      t.is(space.pool('c'), undefined);
      t.is(space[way](handles[1] as string, element(1), { now }).type, 'updated');
      space.remove(handles[1] as string, 1, 'deregistration');
      t.is(space[way](refused, element(9), { now }).type, 'added');
    });
  }

  test(`what peers tell of up to ${limit} leaves those room who register here, and these leave it to peers`, (t) => {
    const rejected = { type: 'rejected', rejection: { type: 'lackOfResources', limit } };
    for (const [first, second] of [
      ['register', 'replicate'],
      ['replicate', 'register'],
    ] as const) {
      const space = handlespace({ [limit]: handles.length });
      handles.forEach((handle, identifier) => void space[first](handle, element(identifier), { now }));
      const others = limit === 'maxPools' ? ['d', 'e', 'f'] : [...handles, refused];
      const results = others.map((handle, i) => space[second](handle, element(20 + i), { now }));
      t.deepEqual(
        results.map(({ type }) => type),
        [...handles.map(() => 'added'), 'rejected'],
      );
      t.deepEqual(results.at(-1) as unknown, rejected);
      // Nor does one become the other where there is no room.
      if (limit !== 'maxPools')
        t.deepEqual(space[second](handles[1] as string, element(1), { now }) as unknown, rejected);
    }
  });
}

test('peers who use up a limit leave the others their shares', (t) => {
  const space = handlespace({ maxElements: 640, maxPools: 640, maxElementsPerPool: 640 });
  const from = (owner: number, count: number, poolOf: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => {
      const facts = { now, owner };
      return space.replicate(poolOf(i), element(owner * 10_000 + i), facts).type;
    });
  t.is(from(1, 1_000, (i) => `pool ${i}`).filter((type) => type === 'added').length, 640);
  for (const owner of [2, 3]) {
    t.is(from(owner, 20, (i) => `of ${owner}: ${i}`).filter((type) => type === 'added').length, 10);
  }
  // What goes makes room for its peer alone, as long as there is more than the limit.
  space.remove('pool 0', 10_000, 'handleUpdate');
  t.deepEqual(
    from(1, 1, () => 'another'),
    ['rejected'],
  );
  space.remove('of 2: 0', 20_000, 'handleUpdate');
  t.deepEqual(
    from(2, 1, () => 'of 2: 0'),
    ['added'],
  );
});

test('with its last element a pool goes, and may come back with another policy', (t) => {
  const space = handlespace();
  space.register('pool', element(1), { now });
  t.is(space.remove('pool', 1, 'deregistration')?.identifier, 1);
  t.is(space.resolve('pool'), undefined);
  t.is(space.poolCount, 0);
  t.is(space.remove('pool', 1, 'deregistration'), undefined);
  t.is(space.register('pool', element(1, { policy: { type: 'leastUsed', load: 0 } }), { now }).type, 'added');
});

const wanted: readonly [number | undefined, number][] = [
  [undefined, 4],
  [0, 4],
  [1, 1],
  [4, 4],
  [0xffff_ffff, 4],
];

for (const [count, expected] of wanted) {
  test(`of 6 elements and at most 4 an answer, ${count} wanted gives ${expected}`, (t) => {
    const space = handlespace({ maxElementsPerAnswer: 4 });
    for (let identifier = 0; identifier < 6; identifier++) space.register('pool', element(identifier), { now });
    t.deepEqual(answer(space, 'pool', count), [0, 1, 2, 3].slice(0, expected));
    t.is(answer(space, 'pool', count)?.[0], 1);
  });
}
