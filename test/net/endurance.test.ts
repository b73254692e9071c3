/** Sessions that outlive registrars, full elements and many failures. */

import test from 'ava';
import { seededRandom } from '../../lib/random.js';
import { collect, event, type TestElement, World } from './world.js';

test('a failover works without a registrar, from the last answer', async (t) => {
  const world = new World();
  const { process } = world.registrar();
  const elements = [world.element(), world.element()];
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client();
  const got = collect(socket);
  socket.write('a');
  await world.until(() => got.text === 'a');
  process.kill();
  await world.run(10_000);
  const at = world.now;
  world.serving(socket, elements).process.kill();
  socket.write('b');
  await world.until(() => got.text === 'ab');
  t.true(world.now - at < 2000, `${world.now - at}`);
});

test('a session outlives the registrar and fails over to elements that a new one knows', async (t) => {
  const world = new World();
  const { process } = world.registrar();
  const element = world.element();
  await world.until(() => element.server.registered);
  const socket = world.client({ failoverTimeout: 60_000 });
  const got = collect(socket);
  socket.write('a');
  await world.until(() => got.text === 'a');
  process.kill();
  element.process.kill();
  socket.write('b');
  await world.run(10_000);
  world.registrar();
  world.element();
  await world.until(() => got.text === 'ab');
  t.pass();
});

test('an element that is full is not reported as unreachable', async (t) => {
  const world = new World();
  const { registrar } = world.registrar();
  const full = world.element();
  full.server.maxConnections = 1;
  const first = world.client();
  await world.until(event(first, 'connect'));
  // Each user reports by a connection of its own; more than three reports would remove the element.
  const others = [0, 1, 2, 3, 4, 5].map(() => world.client({ connectTimeout: 5000 }));
  for (const other of others) other.on('error', () => {}).write('x');
  await world.run(10_000);
  t.true(others.every(({ destroyed }) => destroyed));
  t.is(registrar.stats.elements, 1);
  t.is(registrar.stats.keepAlivesSent < 10, true, `${registrar.stats.keepAlivesSent}`);
});

test('the stream survives many failures, byte for byte in messages that are answered', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = seededRandom(seed);
    const world = new World({ random: seededRandom(seed + 100), fragment: true });
    world.registrar();
    const executed = new Map<number, number>();
    const elements: TestElement[] = [];
    const add = (): void => {
      elements.push(
        world.element(() => {}, {
          onMessage: async (message) => {
            if (!message.redelivered) executed.set(message.sequence, (executed.get(message.sequence) ?? 0) + 1);
            message.reply(message.data);
          },
        }),
      );
    };
    add();
    add();
    const answers: string[] = [];
    const socket = world.client({
      failoverTimeout: 120_000,
      onMessage: (message) => void answers.push(Buffer.from(message.data).toString()),
    });
    let failovers = 0;
    socket.on('failover', () => failovers++);
    await world.until(event(socket, 'connect'));
    for (let i = 0; i < 200; i++) {
      socket.send(`${i}`);
      if (random.uniform() < 0.06) {
        const victim = world.serving(socket, elements);
        if (random.uniform() < 0.5) victim.process.kill();
        else {
          victim.process.freeze();
          world.network.time.schedule(random.uniform() * 4000, () => victim.process.thaw());
        }
        add();
      }
      await world.run(random.uniform() * 400);
    }
    socket.end();
    const [hadError] = await world.until(event(socket, 'close'));
    t.false(hadError);
    t.true(failovers > 0, `seed ${seed}`);
    t.is(new Set(answers).size, 200, `seed ${seed}: every request was answered`);
    t.true(
      [...executed.values()].every((times) => times === 1),
      `seed ${seed}: executed twice only where so marked`,
    );
  }
});

test('an echoed byte stream survives many failures byte for byte', async (t) => {
  let failovers = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const world = new World({ random: seededRandom(seed + 100), fragment: true });
    world.registrar();
    const elements = [world.element(), world.element()];
    await world.until(() => elements.every(({ server }) => server.registered));
    const socket = world.client({ failoverTimeout: 120_000 });
    socket.on('failover', () => failovers++);
    const got = collect(socket);
    await world.until(event(socket, 'connect'));
    let sent = '';
    for (let i = 0; i < 100; i++) {
      const piece = `<${i}:${'y'.repeat(random.uniform() < 0.1 ? 100_000 : random.uniform() * 50)}>`;
      sent += piece;
      socket.write(piece);
      if (random.uniform() < 0.06) {
        const victim = world.serving(socket, elements).process;
        if (random.uniform() < 0.5) victim.kill();
        else {
          victim.freeze();
          world.network.time.schedule(random.uniform() * 4000, () => victim.thaw());
        }
        elements.push(world.element());
      }
      await world.run(random.uniform() * 200);
    }
    socket.end();
    await world.until(event(socket, 'close'));
    t.true(got.text === sent, `seed ${seed}: ${got.text.length} of ${sent.length} bytes`);
  }
  t.true(failovers > 10);
});

test('a peer that never reads for ten minutes costs less than 64 MB, and neither side gives up', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => void socket.pause());
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const held = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  let accepted = 0;
  const write = (): void => {
    while (socket.write(Buffer.alloc(64 * 1024, accepted++ & 255)));
    socket.once('drain', write);
  };
  write();
  // Both sides are in this process.
  let most = 0;
  for (let minute = 0; minute < 10; minute++) {
    await world.run(60_000);
    most = Math.max(most, held() - before);
  }
  t.true(most < 2 * 64e6, `${most}`);
  t.true(accepted * 64 * 1024 < 8 * 1024 * 1024, `${accepted}`);
  t.false(socket.destroyed);
  t.false(element.sockets[0]?.destroyed);
});
