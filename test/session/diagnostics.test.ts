import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { event, World } from '../net/world.js';

test('who watches a session hears of its elements, its failover and its end', async (t) => {
  const names = ['opened', 'element-left', 'failed-over', 'ended'].map((name) => `rserpool:session:${name}`);
  const heard: string[] = [];
  const listen = (facts: unknown, name: string | symbol): void => {
    if ((facts as { poolHandle: string }).poolHandle === 'echo') heard.push(String(name).split(':').at(-1) as string);
  };
  for (const name of names) subscribe(name, listen);
  t.teardown(() => names.forEach((name) => void unsubscribe(name, listen)));
  const world = await World.echo(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const failover = event(socket, 'failover');
  world.serving(socket, world.elements).process.kill();
  await world.until(failover);
  const closed = event(socket, 'close');
  socket.resume().end();
  await world.until(closed);
  t.deepEqual(heard, ['opened', 'element-left', 'failed-over', 'ended']);
});
