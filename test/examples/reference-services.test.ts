/** The services of the reference implementation, served and used by us over SCTP in UDP on loopback. */

import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { serveCalcApp, useCalcApp } from '../../examples/reference-services/calc-app.js';
import { drawFractal, mandelbrot, serveFractals } from '../../examples/reference-services/fractal.js';
import { servePingPong, usePingPong } from '../../examples/reference-services/ping-pong.js';
import { type SimpleService, serveSimply } from '../../examples/reference-services/simple-services.js';
import rserpool, { createRegistrar, OperationalScope, type Server, type Socket } from '../../lib/index.js';

const host = '127.0.0.1';

/** A registrar, and what elements and users need to find it. */
async function pool(t: ExecutionContext): Promise<{ scope: () => OperationalScope; listen: () => object }> {
  const registrar = createRegistrar({ port: 0 });
  await new Promise((resolve) => registrar.listen(resolve));
  t.teardown(() => new Promise<void>((resolve) => void registrar.close(resolve)));
  const scope = (): OperationalScope => {
    const port = registrar.address?.port ?? 0;
    const made = new OperationalScope({ registrars: [{ host, port }], sctp: { host, udpPort: 0 } });
    t.teardown(() => made.close());
    return made;
  };
  return { scope, listen: () => ({ scope: scope(), host, mappings: ['sctp'], advertise: { host } }) };
}

async function registered(t: ExecutionContext, server: Server): Promise<Server> {
  t.teardown(() => server.close());
  await once(server, 'registered');
  return server;
}

function user(t: ExecutionContext, scope: OperationalScope, poolHandle: SimpleService): Socket {
  const socket = rserpool.connect({ poolHandle, scope, mappings: ['sctp'] });
  t.teardown(() => socket.destroy());
  return socket;
}

test('echo, discard, daytime and character generator', async (t) => {
  const { scope, listen } = await pool(t);
  const services: readonly SimpleService[] = ['EchoPool', 'DiscardPool', 'DaytimePool', 'CharGenPool'];
  for (const service of services) await registered(t, serveSimply(service, listen()));
  const shared = scope();
  const echo = user(t, shared, 'EchoPool');
  echo.send(Buffer.from('hello'), { ppid: 4711 });
  const [message] = await once(echo, 'message');
  t.deepEqual([Buffer.from(message.data).toString(), message.ppid], ['hello', 4711]);
  const discard = user(t, shared, 'DiscardPool');
  await new Promise<void>((resolve) => void discard.write('into the void', () => resolve()));
  const daytime = user(t, shared, 'DaytimePool');
  const [text] = await once(daytime.setEncoding('utf8'), 'data');
  t.regex(text, /^\w{3} \w{3} \d\d \d{4} /);
  const generator = user(t, shared, 'CharGenPool');
  const [block] = await once(generator, 'data');
  t.is(block.toString('latin1', 0, 5), ' !"#$');
});

test('ping-pong goes on with its numbers when the element hands over', async (t) => {
  const { scope, listen } = await pool(t);
  const first = await registered(t, servePingPong(listen()));
  const replies: bigint[] = [];
  let heard = (): void => {};
  const socket = usePingPong(scope(), 5, ({ replyNumber }) => {
    replies.push(replyNumber);
    heard();
  });
  t.teardown(() => socket.destroy());
  const pongs = (count: number): Promise<void> =>
    new Promise((resolve) => {
      heard = () => replies.length >= count && resolve();
      heard();
    });
  await pongs(10);
  await registered(t, servePingPong(listen()));
  await first.handOver();
  await pongs(replies.length + 10);
  const wrong = replies.findIndex((reply, i) => reply !== BigInt(i + 1));
  t.is(wrong, -1, replies.slice(Math.max(0, wrong - 3), wrong + 3).join());
});

test('a job of the calculation service is finished by another element', async (t) => {
  const { scope, listen } = await pool(t);
  const first = await registered(t, serveCalcApp(listen(), 1000, 5));
  const progress: number[] = [];
  let accepted = 0;
  let onProgress = (): void => {};
  let complete = (): void => {};
  const done = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const events = {
    onAccepted: () => accepted++,
    onProgress(completed: number) {
      progress.push(completed);
      onProgress();
    },
    onComplete: () => complete(),
  };
  const socket = useCalcApp(scope(), 1000, events);
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve) => {
    onProgress = () => progress.length >= 3 && resolve();
  });
  await registered(t, serveCalcApp(listen(), 10_000, 5));
  await first.handOver();
  await done;
  t.is(accepted, 1);
  t.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  );
});

test('a fractal comes whole', async (t) => {
  const { scope, listen } = await pool(t);
  await registered(t, serveFractals(listen()));
  const size = { width: 60, height: 40, maxIterations: 50 };
  const image = await drawFractal(scope(), { ...size, minimum: [-2, -1], maximum: [1, 1] });
  t.is(image.length, 2400);
  t.is(image[0], mandelbrot(-2, -1, 50));
  t.is(image[20 * 60 + 40], mandelbrot(0, 0, 50));
  t.is(image[2399], mandelbrot(-2 + (3 * 59) / 60, -1 + (2 * 39) / 40, 50));
});
