/** Options that change how data is handed over, and what belongs to the whole of a connection. */

import { once } from 'node:events';
import { type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const cases: Case[] = [
  {
    name: 'onread copies what arrives to its buffer, and the stream gives nothing',
    expected: ['hello', true, 'end'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('hello')));
      const buffer = Buffer.alloc(100);
      let got = '';
      let same = true;
      const callback = (length: number, into: Uint8Array): boolean => {
        got += Buffer.from(into.subarray(0, length)).toString();
        same &&= into === buffer;
        return true;
      };
      const client = stage.connect(server, { onread: { buffer, callback } });
      stage.watch(client, ['end']);
      await once(client, 'end');
      return [got, same, ...stage.log];
    },
  },
  {
    name: 'onread fills a small buffer again and again',
    expected: ['abcdefgh', 4],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('abcdefgh')));
      let got = '';
      let longest = 0;
      const callback = (length: number, into: Uint8Array): boolean => {
        longest = Math.max(longest, length);
        got += Buffer.from(into.subarray(0, length)).toString();
        return true;
      };
      const client = stage.connect(server, { onread: { buffer: Buffer.alloc(4), callback } });
      await once(client, 'end');
      return [got, longest];
    },
  },
  {
    name: 'the buffer of onread may be a function',
    expected: ['abcd', true],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('abcd')));
      let made = 0;
      let got = '';
      const buffer = (): Buffer => {
        made++;
        return Buffer.alloc(2);
      };
      const callback = (length: number, into: Uint8Array): boolean => {
        got += Buffer.from(into.subarray(0, length)).toString();
        return true;
      };
      const client = stage.connect(server, { onread: { buffer, callback } });
      await once(client, 'end');
      return [got, made >= 2];
    },
  },
  {
    name: 'onread that returns false pauses until resume',
    expected: ['ab', 'abcd'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('abcd')));
      let got = '';
      const paused = new Promise<void>((resolve) => {
        const callback = (length: number, into: Uint8Array): boolean => {
          got += Buffer.from(into.subarray(0, length)).toString();
          if (got.length === 2) resolve();
          return got.length !== 2;
        };
        const client = stage.connect(server, { onread: { buffer: Buffer.alloc(2), callback } });
        void once(client, 'end').then(() => stage.note(got));
        void once(client, 'connect').then(() => paused.then(() => setImmediate(() => client.resume())));
      });
      await paused;
      stage.log.unshift(got);
      while (stage.log.length < 2) await new Promise((resolve) => void setImmediate(resolve));
      return stage.log;
    },
  },
  {
    name: 'a socket may be made first and connected later, with options of its own',
    expected: [true, 'later'],
    async run(stage) {
      const server = await stage.open(stage.server({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)));
      const socket = stage.adopt(new stage.net.Socket({ allowHalfOpen: true }));
      stage.note(socket.allowHalfOpen);
      socket.connect(stage.targetOf(server));
      socket.end('later');
      stage.note(await textOf(socket));
      return stage.log;
    },
  },
  {
    name: 'settings that are made before connect hold after it',
    expected: ['utf8', 99, true, 'text'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('text')));
      const socket = stage.adopt(new stage.net.Socket());
      socket.setEncoding('utf8').setTimeout(99).setNoDelay().setKeepAlive(true);
      const data = once(socket, 'data') as Promise<[string]>;
      socket.connect(stage.targetOf(server));
      await once(socket, 'connect');
      stage.note(socket.readableEncoding);
      stage.note(socket.timeout);
      const [text] = await data;
      stage.note(typeof text === 'string');
      stage.note(text);
      return stage.log;
    },
  },
  {
    name: 'writes of a socket that was never connected fail',
    expected: ['ERR_SOCKET_CLOSED'],
    async run(stage) {
      const socket = stage.adopt(new stage.net.Socket());
      socket.on('error', () => {});
      const error = await new Promise<NodeJS.ErrnoException>(
        (resolve) => void socket.write('x', (one) => resolve(one as NodeJS.ErrnoException)),
      );
      return [error.code];
    },
  },
  {
    name: 'connect needs an object, a port or a path',
    expected: 'TypeError ERR_MISSING_ARGS: The "options" or "port" or "path" argument must be specified',
    async run(stage) {
      return thrown(() => new stage.net.Socket().connect({} as never));
    },
  },
  {
    name: 'both sides may send at once',
    expected: [500_000, 500_000],
    async run(stage) {
      const { client, served } = await stage.pair();
      const lengths = Promise.all([client, served].map(async (socket) => (await textOf(socket)).length));
      client.write(Buffer.alloc(500_000));
      served.write(Buffer.alloc(500_000));
      client.end();
      served.end();
      return lengths;
    },
  },
  {
    name: 'listeners of once hear one event only',
    expected: 1,
    async run(stage) {
      const { client, served } = await stage.pair();
      let heard = 0;
      client.once('data', () => heard++);
      client.on('data', () => {});
      served.write('a');
      await once(client, 'data');
      served.end('b');
      await once(client, 'end');
      return heard;
    },
  },
  {
    name: 'a socket may be destroyed in each of its events',
    expected: ['connect', 'ready', 'data', 'end', 'finish'],
    async run(stage) {
      for (const event of ['connect', 'ready', 'data', 'end', 'finish']) {
        const client = await stage.echo();
        client.resume();
        client.on(event, () => client.destroy());
        client.end('x');
        await closed(client);
        if (client.destroyed) stage.note(event);
      }
      return stage.log;
    },
  },
  {
    name: 'an exception in a listener of data stops neither the stream nor the socket',
    expected: ['thrown', 'more'],
    async run(stage) {
      const { client, served } = await stage.pair();
      const { emit } = client;
      client.emit = ((event: string, ...args: unknown[]) => {
        try {
          return (emit as (...all: unknown[]) => boolean).call(client, event, ...args);
        } catch (error) {
          stage.note((error as Error).message);
          return true;
        }
      }) as never;
      let first = true;
      const more = new Promise<string>((resolve) => {
        client.on('data', (chunk: Buffer) => {
          if (!first) resolve(chunk.toString());
          first = false;
          if (chunk.toString() === 'one') throw new Error('thrown');
        });
      });
      served.write('one');
      while (first) await new Promise((resolve) => void setImmediate(resolve));
      served.write('more');
      stage.note(await more);
      return stage.log;
    },
  },
];

inAllWorlds(cases);
