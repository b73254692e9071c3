import { once } from 'node:events';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { connect } from '../../lib/net/connect.js';
import { cast } from './cast.js';

test('an element that was told to stop ends by itself, with 0, when its users have gone on elsewhere', async (t) => {
  const world = await cast(t);
  world.registrar();
  const elements = [0, 1].map(() => world.start('examples/rolling-restart/element.js'));
  await Promise.all(elements.map((element) => element.printed(/registered/)));
  const scope = new OperationalScope({ registrars: world.registrars });
  t.teardown(() => scope.close());
  const socket = connect({ poolHandle: 'rolling', scope });
  const text = async (data: string): Promise<string> => Buffer.from((await socket.request(data)).data).toString();
  t.is(await text('before'), 'before');
  const failedOver = once(socket, 'failover');
  const answers = Promise.all(Array.from({ length: 50 }, (_, i) => text(`${i}`)));
  for (const element of elements.slice(0, 1)) element.signal('SIGTERM');
  t.is(await elements[0]?.exited, 0, elements[0]?.stderr);
  t.is((await answers).join(), Array.from({ length: 50 }, (_, i) => i).join());
  // The other one: its user waits for an element that is still to come.
  const another = world.start('examples/rolling-restart/element.js');
  await another.printed(/registered/);
  elements[1]?.signal('SIGTERM');
  t.is(await elements[1]?.exited, 0, elements[1]?.stderr);
  await failedOver;
  t.is(await text('after'), 'after');
  for (const { stdout } of elements) t.regex(stdout, /"redelivered":0/);
  socket.end().resume();
  await once(socket, 'close');
});

test('a second signal ends the process as it would have without the option', async (t) => {
  const world = await cast(t);
  world.registrar();
  const element = world.start('test/processes/fixtures/stubborn.js');
  await element.printed(/registered/);
  const scope = new OperationalScope({ registrars: world.registrars });
  t.teardown(() => scope.close());
  const socket = connect({ poolHandle: 'stubborn', scope, failoverTimeout: 500 });
  const failed = once(socket, 'error');
  socket.send('never answered');
  await element.printed(/has a request/);
  const { poolHandle } = socket;
  element.signal('SIGTERM');
  // It hands over: its registration is gone first.
  while (await scope.populate(poolHandle as string).catch(() => undefined));
  t.is(element.child.exitCode, null);
  element.signal('SIGINT');
  t.is(await element.exited, 'SIGINT');
  t.false(element.stdout.includes('closed'));
  t.true((await failed)[0] instanceof Error);
});

test('elements in workers of node:cluster have ports of their own, are replaced, and end when told to stop', async (t) => {
  const world = await cast(t);
  world.registrar();
  const cluster = world.start('test/processes/fixtures/cluster.js');
  t.is(await cluster.exited, 0, cluster.stderr);
  t.deepEqual(cluster.stdout.trim().split('\n'), [
    '3 elements',
    'SIGKILL: SIGKILL, another answers',
    'SIGTERM: 0, another answers',
  ]);
});

test('elements in worker threads are replaced and hand over', async (t) => {
  const world = await cast(t);
  world.registrar();
  const threads = world.start('test/processes/fixtures/threads.js');
  t.is(await threads.exited, 0, threads.stderr);
  t.deepEqual(threads.stdout.trim().split('\n'), ['terminated: another answers', 'handed over: 0, another answers']);
});
