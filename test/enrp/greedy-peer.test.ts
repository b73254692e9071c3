import test from 'ava';
import type { Registrar } from '../../lib/registrar/registrar.js';
import type { EnrpMessage } from '../../lib/wire/messages.js';
import { poolElementSize } from '../../lib/wire/pool-element.js';
import { World } from '../asap/world.js';
import { contents, ownedElement, registrar, ScriptedPeer } from './peers.js';

const heartbeatCycle = 1_000;
const timers = { heartbeatCycle };

/** An unrecognised parameter to be forwarded. */
function extension(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, 0xc001_0000 | length);
  return bytes;
}

test('its elements are too large to be told of again: they are not kept, and the server outlives it', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers });
  world.run(10);
  const rest = poolElementSize(ownedElement(1, 900));
  // As large as a table can carry: an update of it would be four bytes too long.
  const large = ownedElement(1, 900, { extensions: [extension(65_535 - 3 - 12 - 8 - rest)] });
  const liar = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  liar.elements = [large];
  liar.checksum = 1;
  liar.send(liar.presence());
  world.run(10);
  liar.send(liar.addPe(2));
  const witness = new ScriptedPeer(world, '10.0.0.8', 800).connect('10.0.0.1');
  world.run(10);
  t.deepEqual(contents(server), ['echo/2@900']);
  liar.process.kill();
  for (let i = 0; i < 20; i++) {
    world.run(heartbeatCycle);
    witness.send(witness.presence());
  }
  // Taken over, called in vain and removed.
  t.deepEqual(contents(server), []);
});

test('its table goes on and on, an element at a time: who starts turns to another mentor, or goes on alone', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.2');
  world.run(10);
  world.user('10.0.1.2', '10.0.0.2').register({ identifier: 2 });
  const liar = new ScriptedPeer(world, '10.0.0.1', 900).listen();
  let identifier = 1_000;
  liar.onMessage = (message, channel) => {
    const envelope = { senderId: 900, receiverId: 0, rejected: false } as const;
    if (message.type === 'listRequest') channel.send({ type: 'listResponse', ...envelope, servers: [] });
    if (message.type !== 'handleTableRequest' || message.ownChildrenOnly) return;
    const poolEntries = [{ poolHandle: 'liars', poolElements: [ownedElement(++identifier, 900)] }];
    liar.process.clock.setTimeout(() => {
      channel.send({ type: 'handleTableResponse', ...envelope, moreToSend: true, poolEntries });
    }, 400);
  };
  const { registrar: alone } = registrar(world, '10.0.0.3', { timers, peers: ['10.0.0.1'] });
  world.run(10);
  const { registrar: helped } = registrar(world, '10.0.0.4', { timers, peers: ['10.0.0.1', '10.0.0.2'] });
  world.run(20_000);
  t.is(alone.enrp?.startUpState, 'downloading');
  world.run(11_000);
  t.true(alone.enrp?.ready);
  t.true(helped.enrp?.ready);
  t.true(contents(helped).includes('echo/2@200'));
});

test('elements that no message could tell of are not let in by any limit', (t) => {
  const world = new World(0);
  const outOfRange = { code: 'ERR_OUT_OF_RANGE' };
  t.throws(() => registrar(world, '10.0.0.1', { limits: { maxElementSize: 60_001 } }), outOfRange);
  t.throws(() => registrar(world, '10.0.0.1', { limits: { maxElementSize: 255 } }), outOfRange);
  t.throws(() => registrar(world, '10.0.0.1', {}, { limits: { maxRegistrationSize: 60_001 } }), outOfRange);
  t.notThrows(() => registrar(world, '10.0.0.1', { limits: { maxElementSize: 60_000 } }));
});

const full = { maxPools: 128, maxElementsPerPool: 128, maxElements: 640 };

/** Two honest servers with an element each, and a liar that fills both with elements of its own. */
function filled(poolOf: (element: number) => string): { world: World; servers: Registrar[]; liar: ScriptedPeer } {
  const world = new World(0);
  const peers = ['10.0.0.1', '10.0.0.2'];
  const servers = peers.map((address) => registrar(world, address, { timers, peers }, { limits: full }).registrar);
  world.run(6_000);
  world.user('10.0.1.1', '10.0.0.1').register({ identifier: 1 });
  world.user('10.0.1.2', '10.0.0.2').register({ identifier: 2 });
  world.run(3_000);
  const liar = new ScriptedPeer(world, '10.0.0.9', 900);
  liar.polite = false;
  // Its own elements are never audited.
  liar.onMessage = (message, channel) => {
    if (message.type !== 'handleTableRequest') return;
    const envelope = { senderId: 900, receiverId: 0, moreToSend: false, rejected: true } as const;
    channel.send({ type: 'handleTableResponse', ...envelope, poolEntries: [] });
  };
  for (const address of peers) liar.connect(address);
  const beat = (): void => {
    for (const channel of liar.channels) channel.send(liar.presence());
    liar.process.clock.setTimeout(beat, 500);
  };
  liar.process.dispatch('input', beat);
  tell(liar, ...announcements(poolOf));
  world.run(10);
  return { world, servers, liar };
}

function announcements(poolOf: (element: number) => string): EnrpMessage[] {
  return Array.from({ length: 2_000 }, (_, i) => ({
    type: 'handleUpdate',
    ...{ senderId: 900, receiverId: 0, takeoverSuggested: false, action: 'addPe' },
    poolHandle: poolOf(i),
    poolElement: ownedElement(1_000 + i, 900),
  }));
}

function tell(liar: ScriptedPeer, ...messages: readonly EnrpMessage[]): void {
  liar.process.dispatch('input', () => {
    for (const channel of liar.channels) for (const message of messages) channel.send(message);
  });
}

for (const [what, poolOf] of [
  ['pools', (element: number) => `junk ${element}`],
  ['the pool of others', () => 'echo'],
  ['one pool after the other', (element: number) => `junk ${element >> 7}`],
] as const) {
  test(`it fills ${what} up to the limit: elements that it removed find room all the same, and so do new ones`, (t) => {
    const { world, servers, liar } = filled(poolOf);
    for (const server of servers) t.true(server.handlespace.elementCount > 100);
    for (const identifier of [1, 2]) {
      tell(liar, liar.addPe(identifier), liar.update('delPe', ownedElement(identifier, 900)), ...announcements(poolOf));
    }
    const ours = (server: Registrar): string[] => contents(server).filter((element) => !element.endsWith('@900'));
    world.run(heartbeatCycle + 20);
    for (const server of servers) t.deepEqual(ours(server), ['echo/1@100', 'echo/2@200']);
    world.user('10.0.1.3', '10.0.0.1').register({ identifier: 3, poolHandle: 'new' });
    world.user('10.0.1.4', '10.0.0.1').register({ identifier: 4 });
    world.run(20);
    for (const server of servers) {
      t.deepEqual(ours(server), ['echo/1@100', 'echo/2@200', 'echo/4@100', 'new/3@100']);
      t.true(server.handlespace.elementCount <= full.maxElements + 4);
    }
  });
}
