import test from 'ava';
import type { Resolution } from '../../lib/asap/resolution.js';
import { Server } from '../../lib/net/server.js';
import type { Socket } from '../../lib/net/socket.js';
import type { BusinessCard } from '../../lib/session/business-card.js';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { collect, event, type TestElement, World } from './world.js';

const identifiers = (elements: readonly { identifier: number }[]): number[] =>
  elements.map(({ identifier }) => identifier);

const identifierOf = ({ server }: TestElement): number => server.peIdentifier as number;

/** The pool as the registrar describes it. */
async function described(world: World): Promise<Map<number, PoolElement>> {
  const { elements } = await world.until<Resolution>(world.scope(world.spawn('reader')).resolve('echo'));
  return new Map(elements.map((element) => [element.identifier, element]));
}

test("each user gets its element's card as it connects: by default the element itself, reachable as it is", async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  const [card] = (await world.until(event(socket, 'businessCard'))) as [BusinessCard];
  t.is(card.poolHandle, 'echo');
  const serving = world.serving(socket, world.elements);
  t.deepEqual(identifiers(card.elements), [identifierOf(serving)]);
  const known = (await described(world)).get(identifierOf(serving));
  t.deepEqual(card.elements[0]?.userTransport, known?.userTransport);
  t.deepEqual(card.elements[0]?.mappings, known?.mappings);
  t.deepEqual(socket.businessCard, card);
  t.true(Object.isFrozen(card) && Object.isFrozen(card.elements));
});

test('a failover follows the order of the card, and passes over who is dead already', async (t) => {
  const world = await World.echo(6);
  const known = await described(world);
  const socket = world.client();
  const got = collect(socket);
  await world.until(event(socket, 'businessCard'));
  const first = world.serving(socket, world.elements);
  const others = world.elements.filter((element) => element !== first);
  // Against every policy: from the highest identifier to the lowest.
  const order = others.map(identifierOf).sort((a, b) => b - a);
  const newCard = event(socket, 'businessCard') as Promise<[BusinessCard]>;
  first.server.setBusinessCard(order.map((identifier) => known.get(identifier) as PoolElement));
  const [card] = await world.until(newCard);
  t.deepEqual(identifiers(card.elements), order);
  const named = (index: number): TestElement =>
    world.elements.find((element) => identifierOf(element) === order[index]) as TestElement;
  named(0).process.kill();
  first.process.kill();
  socket.write('x');
  await world.until(() => got.text === 'x');
  t.is(world.serving(socket, world.elements), named(1));
});

test('a card that names elements which the registrar does not know leads to them all the same', async (t) => {
  const world = await World.echo(1);
  const other = world.element(undefined, { poolHandle: 'spare' });
  await world.until(() => other.server.registered);
  const spare = await world.until<Resolution>(world.scope(world.spawn('reader')).resolve('spare'));
  const socket = world.client({ failoverTimeout: 5000 });
  await world.until(event(socket, 'businessCard'));
  world.elements[0]?.server.setBusinessCard(spare.elements);
  await world.until(event(socket, 'businessCard'));
  world.elements[0]?.process.kill();
  const [error] = (await world.until(event(socket, 'error'))) as [AggregateError];
  // It was asked, and said that it belongs to another pool.
  t.true(error.errors.some(({ element }: { element?: number }) => element === identifierOf(other)));
});

test('one user may be given an order of its own, and an empty card goes back to none', async (t) => {
  const world = await World.echo(3);
  const known = await described(world);
  const users = [world.client(), world.client(), world.client()];
  await world.until(() => users.every((user) => user.businessCard !== undefined));
  const [user] = users as [Socket];
  const serving = world.serving(user, world.elements);
  const order = [...known.values()].filter(({ identifier }) => identifier !== identifierOf(serving)).reverse();
  const before = users.map(({ businessCard }) => businessCard);
  serving.sockets[0]?.setBusinessCard(order);
  await world.run(100);
  t.is(users.filter(({ businessCard }, i) => businessCard !== before[i]).length, 1);
  t.deepEqual(identifiers(user.businessCard?.elements ?? []), identifiers(order));
  serving.server.setBusinessCard([]);
  await world.run(100);
  t.deepEqual(identifiers(user.businessCard?.elements ?? []), [identifierOf(serving)]);
});

test('a user that is an element too tells whose it is, to each element and at each change, and can be called back', async (t) => {
  const world = new World();
  world.registrar();
  const cards: (BusinessCard | undefined)[] = [];
  const elements = [0, 1].map(() =>
    world.element((socket) => {
      socket.on('businessCard', (card: BusinessCard) => cards.push(card));
      socket.resume();
    }),
  );
  const [peer, spare] = [0, 1].map(() =>
    world.element((socket) => void socket.end('called back'), { poolHandle: 'peers' }),
  ) as [TestElement, TestElement];
  const all = [...elements, peer, spare];
  await world.until(() => all.every(({ server }) => server.registered));
  const socket = world.client({ scope: peer.scope, server: peer.server });
  await world.until(() => cards.length === 1);
  t.is(cards[0]?.poolHandle, 'peers');
  t.deepEqual(identifiers(cards[0]?.elements ?? []), [identifierOf(peer)]);

  const { elements: peers } = await world.until<Resolution>(world.scope(world.spawn('reader')).resolve('peers'));
  peer.server.setBusinessCard(peers);
  await world.until(() => cards.length === 2);
  t.deepEqual(identifiers(cards[1]?.elements ?? []), [identifierOf(peer), identifierOf(spare)]);

  world.serving(socket, elements).process.kill();
  await world.until(() => cards.length === 3);
  t.deepEqual(cards[2], cards[1]);

  const { scope } = world.serving(socket, elements);
  const back = world.client({ poolHandle: cards[2]?.poolHandle as string, scope });
  const got = collect(back);
  await world.until(event(back, 'close'));
  t.is(got.text, 'called back');
});

test('users who had the same answer do not all go to the same element when theirs fails', async (t) => {
  const world = await World.echo(6);
  const users: Socket[] = [];
  for (let i = 0; i < 48; i++) users.push(world.client());
  await world.until(() => users.every((user) => !user.connecting));
  const victim = world.serving(users[0] as Socket, world.elements);
  const left = users.filter((user) => world.serving(user, world.elements) === victim);
  t.is(left.length, 8);
  victim.process.kill();
  await world.until(() => left.every((user) => user.element?.identifier !== identifierOf(victim)));
  const taken = new Set(left.map((user) => world.serving(user, world.elements)));
  t.true(taken.size >= 3, `${left.length} users went to ${taken.size} elements`);
});

test('what is no business card is refused at the caller', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const [{ server, sockets }] = world.elements as [TestElement];
  const known = [...(await described(world)).values()];
  for (const elements of [5, [5], [{}], [{ identifier: 1 }], Array.from({ length: 3000 }, () => known[0])]) {
    const code = Array.isArray(elements) ? 'ERR_INVALID_ARG_VALUE' : 'ERR_INVALID_ARG_TYPE';
    t.throws(() => server.setBusinessCard(elements as never), { code }, JSON.stringify(elements).slice(0, 40));
    t.throws(() => sockets[0]?.setBusinessCard(elements as never), { code });
  }
  t.throws(() => socket.setBusinessCard(known), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  t.throws(() => new Server().setBusinessCard(known), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  t.throws(() => world.client({ server: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => world.client({ server: new Server() }), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
});
