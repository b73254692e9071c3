import test from 'ava';
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
