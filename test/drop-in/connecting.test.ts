/** Connections as they come about. */

import { once } from 'node:events';
import type net from 'node:net';
import { type Case, closed, inAllWorlds, textOf } from './worlds.js';

const cases: Case[] = [
  {
    name: "'connect' is emitted before 'ready', each once, and the callback of connect is a listener of 'connect'",
    expected: ['callback', 'connect', 'ready'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server, {}, () => stage.note('callback'));
      stage.watch(client, ['connect', 'ready']);
      await once(client, 'ready');
      return stage.log;
    },
  },
  {
    name: 'the callback of connect is called once only',
    expected: [0],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server, {}, () => {});
      await once(client, 'ready');
      return [client.listenerCount('connect')];
    },
  },
  {
    name: 'connecting and pending are true until the connection is there, and readyState says so',
    expected: [
      [true, true, 'opening'],
      [false, false, 'open'],
    ],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      stage.note(client.connecting, client.pending, client.readyState);
      await once(client, 'connect');
      stage.note(client.connecting, client.pending, client.readyState);
      return stage.log;
    },
  },
  {
    name: 'a new socket is pending, and not connecting',
    expected: [false, true, 'open', false],
    async run(stage) {
      const socket = stage.adopt(new stage.net.Socket());
      return [socket.connecting, socket.pending, socket.readyState, socket.destroyed];
    },
  },
  {
    name: 'Socket.connect returns the socket, and its callback is called',
    expected: [true, 'connected'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const socket = stage.adopt(new stage.net.Socket());
      const connected = new Promise<void>((resolve) => {
        const returned = socket.connect(stage.targetOf(server), () => {
          stage.note('connected');
          resolve();
        });
        stage.note(returned === socket);
      });
      await connected;
      return stage.log;
    },
  },
  {
    name: 'createConnection is connect',
    expected: ['hello'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('hello')));
      const client = stage.adopt(stage.net.createConnection(stage.targetOf(server)));
      return [await textOf(client)];
    },
  },
  {
    name: 'a write before the connection is queued, and its callback is called when it was written',
    expected: [[true], 'connect', 'written', 'early'],
    async run(stage) {
      const client = await stage.echo();
      stage.watch(client, ['connect']);
      stage.note([client.write('early', () => stage.note('written'))]);
      await once(client, 'ready');
      if (stage.log.length < 3) await new Promise((resolve) => setImmediate(resolve));
      client.end();
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'several writes before the connection arrive in their order',
    expected: 'one two three four',
    async run(stage) {
      const client = await stage.echo();
      client.write('one ');
      client.write(Buffer.from('two '));
      client.write('dGhyZWUg', 'base64');
      client.end('four');
      return textOf(client);
    },
  },
  {
    name: 'an end before the connection is an end after it',
    expected: [true, 'finish', ''],
    async run(stage) {
      const client = await stage.echo();
      client.end();
      stage.note(client.writableEnded);
      stage.watch(client, ['finish']);
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'a socket that is destroyed while it connects emits close, and neither connect nor error',
    expected: ['close false', true, 'closed', false],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      stage.watch(client, ['connect', 'ready', 'error', 'end', 'close']);
      client.destroy();
      await once(client, 'close');
      stage.note(client.destroyed);
      stage.note(client.readyState);
      stage.note(client.connecting);
      return stage.log;
    },
  },
  {
    name: 'destroy(error) while it connects emits that error, and close with hadError',
    expected: ['error no more', 'close true'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      stage.watch(client, ['connect', 'error', 'close']);
      client.destroy(new Error('no more'));
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'a write that waits for the connection fails when the socket is destroyed',
    expected: ['ERR_SOCKET_CLOSED_BEFORE_CONNECTION'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      const written = new Promise<NodeJS.ErrnoException | null | undefined>(
        (resolve) => void client.write('x', resolve),
      );
      client.on('error', () => {}).destroy();
      return [(await written)?.code];
    },
  },
  {
    name: 'with a signal that is aborted the socket is destroyed with an AbortError',
    expected: ['error ABORT_ERR', 'close true'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const controller = new AbortController();
      const client = stage.connect(server, { signal: controller.signal });
      stage.watch(client, ['error', 'close']);
      controller.abort();
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'a signal works after the connection too',
    expected: ['error ABORT_ERR', 'close true', true],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.on('error', () => {}).resume()));
      const controller = new AbortController();
      const client = stage.connect(server, { signal: controller.signal });
      await once(client, 'connect');
      stage.watch(client, ['error', 'close']);
      controller.abort();
      await closed(client);
      stage.note(client.destroyed);
      return stage.log;
    },
  },
  {
    name: 'a signal that is aborted already is an error of the new socket',
    expected: ['ABORT_ERR'],
    async run(stage) {
      const client = stage.adopt(new stage.net.Socket({ signal: AbortSignal.abort() }));
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => void client.once('error', resolve));
      return [error.code];
    },
  },
  {
    name: 'a closed socket can connect again',
    expected: ['first', true, 'second', false],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.pipe(socket)));
      const client = stage.connect(server);
      client.on('error', () => {});
      let got = '';
      client.on('data', (chunk: Buffer) => {
        got += chunk.toString();
      });
      client.end('first');
      await once(client, 'close');
      stage.note(got);
      stage.note(client.destroyed);
      got = '';
      client.connect(stage.targetOf(server));
      client.end('second');
      await once(client, 'close');
      stage.note(got);
      stage.note(client.connecting);
      return stage.log;
    },
  },
  {
    name: 'remoteAddress, remotePort and remoteFamily are the far side’s, and undefined before the connection',
    expected: [
      [undefined, undefined, undefined],
      ['127.0.0.1', true, 'IPv4'],
    ],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      stage.note(client.remoteAddress, client.remotePort, client.remoteFamily);
      await once(client, 'connect');
      const { port } = server.address() as net.AddressInfo;
      stage.note(client.remoteAddress, client.remotePort === port, client.remoteFamily);
      return stage.log;
    },
  },
  {
    name: 'localAddress, localPort and localFamily are those that the far side sees as remote',
    expected: ['127.0.0.1', true, 'IPv4', true],
    async run(stage) {
      const { client, served } = await stage.pair();
      return [
        client.localAddress,
        client.localPort === served.remotePort,
        client.localFamily,
        served.localPort === client.remotePort,
      ];
    },
  },
  {
    name: 'address() is the bound address, family and port; an empty object before',
    expected: [{}, ['127.0.0.1', 'IPv4', true]],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server);
      stage.note(client.address());
      await once(client, 'connect');
      const { address, family, port } = client.address() as net.AddressInfo;
      stage.note([address, family, port === client.localPort]);
      return stage.log;
    },
  },
  {
    name: 'after the close the remote address is undefined',
    expected: [undefined, undefined],
    async run(stage) {
      const client = await stage.echo();
      await once(client, 'connect');
      client.resume().end();
      await once(client, 'close');
      return [client.remoteAddress, client.remotePort];
    },
  },
  {
    name: 'setNoDelay, setKeepAlive, ref, unref, setTimeout, pause and resume return the socket',
    expected: [true, true, true, true, true, true, true, true],
    async run(stage) {
      const client = await stage.echo();
      const all = (): boolean[] => [
        client.setNoDelay() === client && client.setNoDelay(false) === client,
        client.setKeepAlive(true, 1000) === client && client.setKeepAlive() === client,
        client.ref() === client && client.unref() === client,
        client.setTimeout(0) === client && client.pause() === client && client.resume() === client,
      ];
      const before = all();
      await once(client, 'connect');
      return [...before, ...all()];
    },
  },
  {
    name: 'the options noDelay, keepAlive and keepAliveInitialDelay are taken',
    expected: 'x',
    async run(stage) {
      const client = await stage.echo({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 });
      client.end('x');
      return textOf(client);
    },
  },
  {
    name: 'the option highWaterMark is that of both sides of the stream',
    expected: [1000, 1000],
    async run(stage) {
      const client = await stage.echo({ highWaterMark: 1000 });
      return [client.writableHighWaterMark, client.readableHighWaterMark];
    },
  },
  {
    name: 'setDefaultEncoding is the encoding of strings that are written without one',
    expected: 'hello',
    async run(stage) {
      const client = await stage.echo();
      client.setDefaultEncoding('hex');
      client.end('68656c6c6f');
      return textOf(client);
    },
  },
  {
    name: 'connect emits an error when nobody can be reached, and closes with hadError',
    expected: ['error', 'close true', true],
    async run(stage) {
      const client = stage.adopt(stage.net.connect(stage.nowhere));
      stage.watch(client, ['connect']);
      client.on('error', (error) => stage.note(error instanceof Error ? 'error' : 'nonsense'));
      stage.watch(client, ['close']);
      await closed(client);
      stage.note(client.errored instanceof Error);
      return stage.log;
    },
  },
  {
    name: 'listeners that are added in the callback of connect hear what comes first',
    expected: ['hello'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.write('hello')));
      const data = new Promise<string>((resolve) => {
        const client = stage.connect(server, {}, () =>
          client.once('data', (chunk: Buffer) => resolve(chunk.toString())),
        );
      });
      return [await data];
    },
  },
  {
    name: 'allowHalfOpen is false unless it is asked for, and can be read',
    expected: [false, true],
    async run(stage) {
      const server = await stage.open(stage.server());
      return [stage.connect(server).allowHalfOpen, stage.connect(server, { allowHalfOpen: true }).allowHalfOpen];
    },
  },
  {
    name: 'timeout of the options is the same as setTimeout after connect',
    expected: [12_345, undefined],
    async run(stage) {
      const server = await stage.open(stage.server());
      return [stage.connect(server, { timeout: 12_345 }).timeout, stage.connect(server).timeout];
    },
  },
];

inAllWorlds(cases);
