import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { event, World } from './world.js';

/** Breaks every connection of a process that goes to the elements' port. */
function sever(streams: Iterable<unknown>): void {
  for (const stream of streams as Iterable<MemoryStream>) if (stream.remoteAddress.port === 7) stream.sever();
}

test.serial(
  'an element that is full lets all its own users in again when their connections break at once',
  async (t) => {
    const world = await World.echo(1);
    const [element] = world.elements;
    if (element === undefined) throw new Error('there is an element');
    element.server.maxConnections = 40;
    const refusals: unknown[] = [];
    const listen = (message: unknown): void => void refusals.push(message);
    subscribe('rserpool:net:connection-refused', listen);
    t.teardown(() => unsubscribe('rserpool:net:connection-refused', listen));
    const process = world.spawn('user');
    const scope = world.scope(process);
    const sockets = Array.from({ length: 40 }, () => world.client({ scope }));
    await world.until(() => sockets.every(({ connecting }) => !connecting));
    const answers = sockets.map((socket) => event(socket, 'data'));
    sever(process.streams);
    await world.run(5);
    for (const socket of sockets) socket.write('still here');
    await world.until(Promise.all(answers));
    t.deepEqual(refusals, []);
    t.is(element.sockets.length, 40);
  },
);

for (const when of ['before', 'after'] as const) {
  test(`a server closes at once where connections break ${when} it is closed: nobody can come back to it`, async (t) => {
    const world = await World.echo(2);
    const process = world.spawn('user');
    const socket = world.client({ scope: world.scope(process) });
    await world.until(event(socket, 'connect'));
    const { server, sockets } = world.serving(socket, world.elements);
    const closed = Promise.all([event(server, 'close'), event(sockets[0] as never, 'close').catch((error) => error)]);
    if (when === 'before') sever(process.streams);
    if (when === 'before') await world.run(0.3);
    const at = world.now;
    server.close();
    await world.run(when === 'before' ? 0 : 50);
    if (when === 'after') sever(process.streams);
    socket.write('goes on');
    await world.until(closed);
    t.true(world.now - at < 500, `${world.now - at} ms`);
    await world.until(event(socket, 'data'));
    t.not(socket.element?.identifier, server.peIdentifier);
  });
}
