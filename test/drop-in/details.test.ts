/** Small print of net's documentation: what things are at each moment, and what is refused. */

import { once } from 'node:events';
import type net from 'node:net';
import { asNet, type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | null | undefined)?.code ?? String(error);

const cases: Case[] = [
  {
    name: 'bufferSize and writableLength count what waits while it connects; bufferSize is undefined after the close',
    expected: [
      [0, 0],
      [5, 5],
      [0, 0],
      [undefined, 0],
    ],
    async run(stage) {
      const client = await stage.echo();
      const both = (): void => stage.note(client.bufferSize, client.writableLength);
      both();
      const written = new Promise<void>((resolve) => void client.write('hello', () => resolve()));
      both();
      await written;
      both();
      client.resume().end();
      await closed(client);
      both();
      return stage.log;
    },
  },
  {
    name: 'bytesRead and bytesWritten are 0 while it connects, and begin anew when it connects again',
    expected: [
      [0, 0],
      [5, 5],
      [0, 0],
      [3, 3],
    ],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.on('error', () => {}).pipe(socket)));
      const client = stage.connect(server);
      const both = (): void => stage.note(client.bytesRead, client.bytesWritten);
      both();
      client.resume().end('first');
      await closed(client);
      both();
      client.connect(stage.targetOf(server));
      both();
      client.end('2nd');
      await closed(client);
      both();
      return stage.log;
    },
  },
  {
    name: 'a socket can connect again in its close event, and its listeners hear of it',
    expected: ['connect', 'end', 'close false', 'connect', 'end', 'close false'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('hello')));
      const client = stage.connect(server);
      stage.watch(client, ['connect', 'end', 'close']);
      client.resume();
      await new Promise<void>((resolve) => {
        client.once('close', () => {
          client.connect(stage.targetOf(server));
          client.once('close', () => resolve());
        });
      });
      return stage.log;
    },
  },
  {
    name: 'destroyed is false in connect, ready, data, end and finish, and true in close',
    expected: ['connect false', 'ready false', 'finish false', 'data false', 'end false', 'close true'],
    async run(stage) {
      const client = await stage.echo({ allowHalfOpen: true });
      for (const event of ['connect', 'ready', 'data', 'end', 'finish', 'close'])
        client.on(event, () => stage.note(`${event} ${client.destroyed}`));
      client.end('x');
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'destroyed is true in error, and connecting false',
    expected: [true, false, 'closed', null],
    async run(stage) {
      const client = stage.adopt(stage.net.connect(stage.nowhere));
      await new Promise((resolve) => void client.on('error', resolve));
      return [client.destroyed, client.connecting, client.readyState, client.errored === null ? undefined : null];
    },
  },
  {
    name: 'nothing comes after the close of a connection that failed, and no end or finish before it',
    expected: ['error', 'close true'],
    async run(stage) {
      const client = stage.adopt(stage.net.connect(stage.nowhere));
      client.on('error', () => stage.note('error'));
      stage.watch(client, ['connect', 'ready', 'end', 'finish', 'timeout', 'close']);
      client.resume();
      await closed(client);
      await new Promise((resolve) => void setImmediate(resolve));
      return stage.log;
    },
  },
  {
    name: 'writes and ends that wait for a connection which fails get an error',
    expected: ['written true', 'ended true'],
    async run(stage) {
      const client = stage.adopt(stage.net.connect(stage.nowhere));
      client.on('error', () => {});
      client.write('x', (error) => stage.note(`written ${error instanceof Error}`));
      client.end((error?: Error) => stage.note(`ended ${error instanceof Error}`));
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'readyState is readOnly after the own end, writeOnly after the far one',
    expected: ['open', 'readOnly', 'open', 'writeOnly'],
    async run(stage) {
      const { client, served } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      stage.note(client.readyState);
      client.end();
      await once(client, 'finish');
      stage.note(client.readyState);
      stage.note(served.readyState);
      served.resume();
      await once(served, 'end');
      stage.note(served.readyState);
      return stage.log;
    },
  },
  {
    name: 'end in the listener of connect ends at once, with what was written before',
    expected: 'early late',
    async run(stage) {
      const client = await stage.echo();
      client.write('early ');
      client.on('connect', () => client.end('late'));
      return textOf(client);
    },
  },
  {
    name: 'listeners of connect and connection are called with the socket and the server as this',
    expected: [true, true],
    async run(stage) {
      const server = stage.server();
      const ofServer = new Promise<boolean>((resolve) => {
        server.on('connection', function (this: net.Server) {
          resolve(this === server);
        });
      });
      await stage.open(server);
      const ofClient = new Promise<boolean>((resolve) => {
        const client = stage.connect(server, {}, function (this: net.Socket) {
          resolve(this === client);
        } as () => void);
      });
      return Promise.all([ofClient, ofServer]);
    },
  },
  {
    name: 'the sockets of a server are as half-open as it says',
    expected: [false, true],
    async run(stage) {
      const one = await stage.pair();
      const two = await stage.pair({}, { allowHalfOpen: true });
      return [one.served.allowHalfOpen, two.served.allowHalfOpen];
    },
  },
  {
    name: 'noDelay, keepAlive and keepAliveInitialDelay of a server are done to its sockets',
    expected: 'hello',
    async run(stage) {
      const { client, served } = await stage.pair({}, { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 });
      served.end('hello');
      return textOf(client);
    },
  },
  {
    name: 'connect refuses wrong options when it is called',
    expected: asNet,
    async run(stage) {
      const server = await stage.open(stage.server());
      const wrong = [
        { autoSelectFamily: 'yes' },
        { autoSelectFamilyAttemptTimeout: 'long' },
        { autoSelectFamilyAttemptTimeout: 0 },
        { localAddress: 'nowhere' },
        { localPort: 'x' },
        { timeout: 'x' },
        { timeout: -1 },
        { signal: 'x' },
        { onread: { buffer: 'x', callback() {} } },
      ];
      return wrong.map((options) => thrown(() => stage.connect(server, options).on('error', () => {})));
    },
  },
  {
    name: 'autoSelectFamily and its time-out are taken',
    expected: ['a', 'b'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.pipe(socket)));
      const one = stage.connect(server, { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 500 });
      const two = stage.connect(server, { autoSelectFamily: false });
      one.end('a');
      two.end('b');
      return Promise.all([textOf(one), textOf(two)]);
    },
  },
  {
    name: 'localAddress is where it connects from',
    expected: ['127.0.0.9', '127.0.0.9'],
    async run(stage) {
      const { client, served } = await stage.pair({ localAddress: '127.0.0.9' });
      return [client.localAddress, served.remoteAddress];
    },
  },
  {
    name: 'corked writes fail when the socket is destroyed, and later ones too',
    expected: ['first ERR_STREAM_DESTROYED', 'second ERR_STREAM_DESTROYED', 'late ERR_STREAM_DESTROYED'],
    async run(stage) {
      const { client } = await stage.pair();
      client.on('error', () => {}).cork();
      client.write('first', (error) => stage.note(`first ${codeOf(error)}`));
      client.write('second', (error) => stage.note(`second ${codeOf(error)}`));
      client.destroy();
      await closed(client);
      await new Promise<void>((resolve) => {
        client.write('late', (error) => {
          stage.note(`late ${codeOf(error)}`);
          resolve();
        });
      });
      return stage.log;
    },
  },
  {
    name: 'Symbol.asyncDispose of a socket destroys it, and resolves when it is closed',
    expected: asNet,
    async run(stage) {
      const { client } = await stage.pair();
      stage.watch(client, ['error', 'close']);
      await (client as unknown as AsyncDisposable)[Symbol.asyncDispose]();
      return [...stage.log, client.destroyed];
    },
  },
  {
    name: 'a socket that is paused before it connects reads nothing until resume',
    expected: ['paused', 'hello'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('hello')));
      const client = stage.connect(server);
      client.pause();
      client.on('data', () => stage.note('too early'));
      await once(client, 'connect');
      await new Promise((resolve) => void setImmediate(resolve));
      stage.note(client.isPaused() ? 'paused' : 'flowing');
      client.removeAllListeners('data');
      stage.note(await textOf(client.resume()));
      return stage.log;
    },
  },
  {
    name: 'a write before the connection returns false at the high-water mark, and drain comes after it',
    expected: [false, true, 'connect', 'drain'],
    async run(stage) {
      const client = await stage.echo({ highWaterMark: 1000 });
      stage.watch(client, ['connect', 'drain']);
      stage.note(client.write(Buffer.alloc(1000)));
      stage.note(client.writableNeedDrain);
      client.resume();
      await once(client, 'drain');
      return stage.log;
    },
  },
  {
    name: 'an address that is not ours cannot be listened on: the error says what and where',
    expected: asNet,
    async run(stage) {
      const server = stage.server();
      server.listen({ ...stage.listenOptions, host: '192.0.2.1', port: 4_242 });
      const [error] = await new Promise<[NodeJS.ErrnoException & net.AddressInfo]>(
        (resolve) => void server.once('error', (one) => resolve([one as never])),
      );
      const { code, syscall, address, port, message } = error;
      return [code, syscall, address, port, message, server.listening, server.address()];
    },
  },
  {
    name: 'a server listens on a name',
    expected: ['string', true, 'hello'],
    async run(stage) {
      const server = stage.server((socket) => void socket.end('hello'));
      server.listen({ ...stage.listenOptions, host: 'localhost' });
      await once(server, 'listening');
      const { address, port } = server.address() as net.AddressInfo;
      stage.note(typeof address);
      stage.note(port > 0);
      const plain = (await import('node:net')).connect(port, address);
      // At a server of both modes a plain client is known when it speaks, or ends.
      stage.note(await textOf(stage.adopt(plain.end())));
      return stage.log;
    },
  },
  {
    name: 'getConnections of a server that does not listen is 0',
    expected: [null, 0],
    async run(stage) {
      return new Promise((resolve) =>
        stage.net.createServer().getConnections((error, count) => resolve([error, count])),
      );
    },
  },
  {
    name: 'a server that was closed is not listening in its close event, and has no address',
    expected: [false, null],
    async run(stage) {
      const server = await stage.open(stage.server());
      await new Promise<void>((resolve) => {
        server.on('close', () => {
          stage.note(server.listening);
          stage.note(server.address());
          resolve();
        });
        server.close();
      });
      return stage.log;
    },
  },
  {
    name: 'a server may be closed in its connection event: that connection goes on',
    expected: ['still here', 'close'],
    async run(stage) {
      const server = stage.server();
      server.on('connection', (socket) => {
        server.close();
        socket.pipe(socket);
      });
      stage.watch(server, ['close']);
      const closing = closed(server);
      const client = stage.connect(await stage.open(server));
      client.end('still here');
      stage.log.push(await textOf(client));
      await closing;
      return stage.log.sort().reverse();
    },
  },
  {
    name: 'setTimeout can be changed and switched off in its event, and comes again otherwise',
    expected: ['timeout 10', 'timeout 5', 'end'],
    async run(stage) {
      const { client, served } = await stage.pair();
      client.resume().setTimeout(10);
      await new Promise<void>((resolve) => {
        client.on('timeout', () => {
          stage.note(`timeout ${client.timeout}`);
          if (client.timeout === 5) resolve();
          client.setTimeout(client.timeout === 10 ? 5 : 0);
        });
      });
      client.setTimeout(0);
      stage.watch(client, ['end']);
      served.end();
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'a client that half-closes at once is served',
    expected: [true, 'nothing came'],
    async run(stage) {
      const server = await stage.open(
        stage.server({ allowHalfOpen: true }, (socket) => {
          socket.on('end', () => socket.end('nothing came')).resume();
        }),
      );
      const client = stage.connect(server, { allowHalfOpen: true });
      client.end();
      const text = await textOf(client);
      return [client.readableEnded, text];
    },
  },
];

inAllWorlds(cases);
