/** Code that knows net's sockets alone works over a pool. */

import http from 'node:http';
import { createInterface } from 'node:readline';
import test from 'ava';
import { event, World } from './world.js';

test('HTTP works over a pool, kept alive, with bodies both ways and over a failover', async (t) => {
  const world = new World();
  world.registrar();
  const web = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => response.end(`${request.method} ${request.url} ${body.length}`));
  });
  const elements = [0, 1].map(() => world.element((socket) => void web.emit('connection', socket)));
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  const ask = (path: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = http.request({ agent, path, method: 'POST' }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          answer += text;
        });
        response.on('end', () => resolve(answer));
      });
      request.on('error', reject);
      request.end(body);
    });
  t.is(await world.until(ask('/a', 'x'.repeat(100))), 'POST /a 100');
  t.is(await world.until(ask('/b', 'x'.repeat(300_000))), 'POST /b 300000');
  world.serving(socket, elements).process.kill();
  await world.run(100);
  t.is(await world.until(ask('/c', 'xyz')), 'POST /c 3');
  socket.destroy();
  agent.destroy();
});

test('readline reads lines from a pool', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const lines: string[] = [];
  const reader = createInterface({ input: socket });
  reader.on('line', (line) => lines.push(line));
  socket.write('one\ntw');
  socket.write('o\nthree\n');
  await world.until(() => lines.length === 3);
  t.deepEqual(lines, ['one', 'two', 'three']);
  socket.end();
  await world.until(event(socket, 'close'));
});

test('a server and its sockets are disposed of as net’s', async (t) => {
  const world = await World.echo(1);
  const server = world.elements[0]?.server;
  await world.until((server as unknown as AsyncDisposable)[Symbol.asyncDispose]() as Promise<void>);
  t.false(server?.listening);
});
