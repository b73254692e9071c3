import test from 'ava';
import type { EndpointKeepAlive } from '../../lib/wire/messages.js';
import { type Scripted, type User, World } from './world.js';

const keepAlive: EndpointKeepAlive = { type: 'endpointKeepAlive', home: false, serverId: 5, poolHandle: 'echo' };

/** A user with a registered element whose service port takes ASAP from registrars. */
function served(world: World): { user: User; home: Scripted } {
  const home = world.scripted('10.0.0.1').listen();
  home.onMessage = (message, channel) => {
    if (message.type !== 'registration') return;
    const { poolHandle, poolElement } = message;
    channel.send({
      type: 'registrationResponse',
      rejected: false,
      poolHandle,
      peIdentifier: poolElement.identifier,
      errors: [],
    });
  };
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  user.register();
  user.do(() => {
    user.process.transport.listen(
      { host: '10.0.0.9', port: 7 },
      { onListening() {}, onError() {}, onConnection: (stream) => user.scope.endpoint.acceptChannel(stream) },
    );
  });
  world.run(100);
  return { user, home };
}

test('a keep-alive on the home connection is acknowledged with the element', (t) => {
  const world = new World();
  const { user, home } = served(world);
  home.send(keepAlive);
  world.run(10);
  t.deepEqual(home.messages('endpointKeepAliveAck'), [
    { type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 },
  ]);
  t.is(user.scope.endpoint.homeServerId, 5);
});

test('a keep-alive about another pool or element is met with silence (KA1)', (t) => {
  const world = new World();
  const { home } = served(world);
  home.send({ ...keepAlive, poolHandle: 'other' }).send({ ...keepAlive, peIdentifier: 2 });
  world.run(10);
  t.deepEqual(home.messages('endpointKeepAliveAck'), []);
});

test('with several elements in the pool each one acknowledges, or the one that is named', (t) => {
  const world = new World();
  const { user, home } = served(world);
  user.register({ identifier: 2 });
  world.run(10);
  home.send(keepAlive);
  world.run(10);
  t.deepEqual(
    home.messages('endpointKeepAliveAck').map((ack) => ack.peIdentifier),
    [1, 2],
  );
  home.send({ ...keepAlive, peIdentifier: 2 });
  world.run(10);
  t.deepEqual(
    home.messages('endpointKeepAliveAck').map((ack) => ack.peIdentifier),
    [1, 2, 2],
  );
});

test('a keep-alive at the advertised address is acknowledged there', (t) => {
  const world = new World();
  served(world);
  const stranger = world.scripted('10.0.0.5').connect('10.0.0.9', 7).send(keepAlive);
  world.run(10);
  t.is(stranger.messages('endpointKeepAliveAck').length, 1);
});

test('KA2.4: a known registrar that sends H becomes the home server', (t) => {
  const world = new World();
  const { user, home } = served(world);
  const next = world
    .scripted('10.0.0.2')
    .connect('10.0.0.9', 7)
    .send({ ...keepAlive, home: true, serverId: 6 });
  world.run(10);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.2');
  t.is(user.scope.endpoint.homeServerId, 6);
  t.is(home.closed.length, 1);
  user.resolve('echo');
  world.run(10);
  t.is(next.messages('handleResolution').length, 1);
});

test('a stranger that sends H is acknowledged and not adopted', (t) => {
  const world = new World();
  const { user } = served(world);
  const stranger = world
    .scripted('10.0.0.5')
    .connect('10.0.0.9', 7)
    .send({ ...keepAlive, home: true, serverId: 6 });
  world.run(10);
  t.is(stranger.messages('endpointKeepAliveAck').length, 1);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
});

test('a stranger at the service port cannot end a registration or answer a resolution', (t) => {
  const world = new World();
  const { user } = served(world);
  const log = user.resolve('echo');
  world
    .scripted('10.0.0.5')
    .connect('10.0.0.9', 7)
    .send({ type: 'deregistrationResponse', poolHandle: 'echo', peIdentifier: 1, errors: [] })
    .send({
      type: 'handleResolutionResponse',
      accepted: false,
      poolHandle: 'echo',
      poolElements: [],
      errors: [{ code: 9, information: new Uint8Array(0) }],
    });
  world.run(100);
  t.is(log.at, undefined);
  t.is([...user.scope.endpoint.elements][0]?.state, 'registered');
});

test('what was read before the channel was accepted is taken into account', (t) => {
  const world = new World();
  const { user } = served(world);
  user.do(() => {
    user.process.transport.listen(
      { host: '10.0.0.9', port: 8 },
      {
        onListening() {},
        onError() {},
        onConnection: (stream) => ({
          ...stream.handler,
          onData: (chunk) => {
            stream.handler = user.scope.endpoint.acceptChannel(stream, chunk);
          },
        }),
      },
    );
  });
  world.run(10);
  const caller = world.scripted('10.0.0.5').connect('10.0.0.9', 8).send(keepAlive);
  world.run(10);
  caller.send(keepAlive);
  world.run(10);
  t.is(caller.messages('endpointKeepAliveAck').length, 2);
});

test('one channel too many at the service port takes the place of the oldest, but never of the home server', (t) => {
  const world = new World();
  const { user } = served(world);
  const home = world
    .scripted('10.0.0.2')
    .connect('10.0.0.9', 7)
    .send({ ...keepAlive, home: true, serverId: 6 });
  world.run(10);
  const silent = Array.from({ length: 16 }, (_, i) => world.scripted(`10.0.1.${i}`).connect('10.0.0.9', 7));
  const registrar = world.scripted('10.0.0.5').connect('10.0.0.9', 7).send(keepAlive);
  world.run(10);
  t.is(registrar.messages('endpointKeepAliveAck').length, 1);
  t.deepEqual(
    silent.map(({ closed }) => closed.length),
    [1, 1, ...Array<number>(14).fill(0)],
  );
  t.is(home.closed.length, 0);
  t.deepEqual(user.scope.endpoint.homeServer?.host, '10.0.0.2');
});
