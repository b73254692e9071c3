import test from 'ava';
import { connect } from '../../lib/net/connect.js';
import { Server } from '../../lib/net/server.js';
import { Socket } from '../../lib/net/socket.js';
import { event, World } from './world.js';

test('an unknown pool is waited for until connectTimeout', async (t) => {
  const world = new World();
  world.registrar();
  const socket = world.client({ connectTimeout: 3000 });
  const at = world.now;
  const [error] = await world.until(event(socket, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.is(Math.round(world.now - at), 3000);
});

test('a pool that comes up in time is connected to', async (t) => {
  const world = new World();
  const socket = world.client();
  await world.run(2000);
  world.registrar();
  await world.run(2000);
  world.element();
  await world.until(event(socket, 'connect'));
  t.true(world.now < 10_000);
});

test('without a registrar the error says so', async (t) => {
  const world = new World();
  const socket = world.client({ connectTimeout: 2000 });
  const [error] = await world.until(event(socket, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
});

test('no element that can be reached: what each said', async (t) => {
  const world = await World.echo(2);
  for (const { process } of world.elements) process.freeze();
  const socket = world.client({ connectTimeout: 2500 });
  const [error] = (await world.until(event(socket, 'error'))) as [AggregateError & { code: string }];
  t.is(error.code, 'ERR_RSERPOOL_CONNECT_TIMEOUT');
  t.true(error instanceof AggregateError);
  t.true(error.errors.every((one: NodeJS.ErrnoException) => one.code === 'ERR_RSERPOOL_ELEMENT_FAILED'));
  for (const one of error.errors) t.true(error.message.includes((one as Error).message), 'it says why');
});

test('what nobody takes in time is a linger time-out, and can be retrieved', async (t) => {
  const world = new World();
  world.registrar();
  world.element((socket) => socket.on('error', () => {}).pause());
  const socket = world.client({ lingerTimeout: 4000 });
  socket.resume();
  socket.end('never taken');
  await world.until(event(socket, 'finish'));
  const [error] = await world.until(event(socket, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_LINGER_TIMEOUT');
  t.is(socket.retrieve().unacknowledged.length, 1);
});

test('a message above the limit is refused at the caller', async (t) => {
  const world = await World.echo(1);
  const socket = world.client({ longestMessage: 4096 });
  t.throws(() => socket.send(new Uint8Array(4097)), { code: 'ERR_RSERPOOL_MESSAGE_TOO_LARGE' });
  t.true(socket.send(new Uint8Array(4096)) === false, 'it is not connected yet');
  await world.until(event(socket, 'drain'));
});

test('send after end throws, and after destroy does nothing', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  socket.end();
  t.throws(() => socket.send('late'), { code: 'ERR_RSERPOOL_SESSION_CLOSED' });
  socket.destroy();
  t.false(socket.send('later'));
});

test('wrong arguments throw what Node throws', async (t) => {
  const world = await World.echo(1);
  const scope = world.scope(world.spawn('user'));
  const good = { poolHandle: 'echo', scope };
  const wrong: [object, string][] = [
    [{ poolHandle: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ poolHandle: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ scope: 'here' }, 'ERR_INVALID_ARG_TYPE'],
    [{ scope: {} }, 'ERR_INVALID_ARG_VALUE'],
    [{ connectTimeout: '5' }, 'ERR_INVALID_ARG_TYPE'],
    [{ connectTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ failoverTimeout: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ lingerTimeout: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE'],
    [{ maxFailovers: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ onFailover: 'no' }, 'ERR_INVALID_ARG_TYPE'],
    [{ onMessage: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ acknowledge: 'sometimes' }, 'ERR_INVALID_ARG_VALUE'],
    [{ mapping: 'sctp' }, 'ERR_INVALID_ARG_VALUE'],
    [{ heartbeatInterval: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ failureTimeout: 29 }, 'ERR_OUT_OF_RANGE'],
    [{ window: 10 }, 'ERR_OUT_OF_RANGE'],
    [{ openMessages: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ timeout: 'soon' }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong) {
    t.throws(() => connect({ ...good, ...options } as never), { code }, JSON.stringify(options));
  }
  const wrongListen: [object, string][] = [
    [{ port: 70_000 }, 'ERR_SOCKET_BAD_PORT'],
    [{ host: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ advertise: { port: 0 } }, 'ERR_SOCKET_BAD_PORT'],
    [{ advertise: { host: 5 } }, 'ERR_INVALID_ARG_TYPE'],
    [{ advertise: { host: 'example.org' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ advertise: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ policy: 'mine' }, 'ERR_INVALID_ARG_VALUE'],
    [{ policy: 'leastUsed', load: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ peIdentifier: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ registrationLife: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ registrationLife: 'long' }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrongListen) {
    const server = new Server();
    t.throws(() => server.listen({ ...good, ...options } as never, () => {}), { code }, JSON.stringify(options));
    t.is(server.listenerCount('listening'), 0);
    t.false(server.listening);
  }
  const socket = world.client();
  t.throws(() => socket.send(5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => socket.send('x', { streamId: 70_000 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => socket.send('x', { ppid: 11 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => socket.send('x', { failover: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => socket.setCookie('x' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => socket.setCookie(Buffer.from('x')), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  const plain = new Socket();
  t.throws(() => plain.send('x'), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  t.throws(() => plain.failOver(), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  t.throws(() => new Server().setLoad(0), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
});

test('connecting a socket that is in use throws', async (t) => {
  const world = await World.echo(1);
  const scope = world.scope(world.spawn('user'));
  const socket = world.client({ scope });
  t.throws(() => socket.connect({ poolHandle: 'echo', scope }), { code: 'ERR_RSERPOOL_SESSION_CLOSED' });
});
