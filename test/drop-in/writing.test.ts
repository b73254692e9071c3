/** The writable side. */

import { once } from 'node:events';
import { asNet, type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const cases: Case[] = [
  {
    name: 'write returns true while little waits, and its callback gets no error',
    expected: [true, true],
    async run(stage) {
      const { client } = await stage.pair();
      const done = new Promise<unknown>((resolve) => stage.note(client.write('x', resolve)));
      const error = await done;
      stage.note(error === null || error === undefined);
      return stage.log;
    },
  },
  {
    name: 'callbacks of writes are called in the order of the writes, and before that of end',
    expected: ['1', '2', '3', 'end'],
    async run(stage) {
      const client = await stage.echo();
      client.resume();
      for (const name of ['1', '2', '3']) client.write(name, () => stage.note(name));
      client.end(() => stage.note('end'));
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'write takes strings with an encoding',
    expected: 'hexlatin\u00e9utf\u00e9base',
    async run(stage) {
      const server = await stage.open(stage.server());
      const accepted = once(server, 'connection');
      const client = stage.connect(server);
      client.write('686578', 'hex');
      client.write('latin\u00e9', 'latin1', () => stage.note('called'));
      client.write('utf\u00e9', 'utf8');
      client.end('YmFzZQ==', 'base64');
      const [served] = (await accepted) as [NodeJS.ReadableStream];
      const chunks: Buffer[] = [];
      for await (const chunk of served) chunks.push(chunk as Buffer);
      const all = Buffer.concat(chunks);
      const latin = all.subarray(3, 9).toString('latin1');
      return all.subarray(0, 3).toString() + latin + all.subarray(9).toString();
    },
  },
  {
    name: 'write takes Buffers and Uint8Arrays, also parts of them',
    expected: 'onetwothree',
    async run(stage) {
      const client = await stage.echo();
      client.write(Buffer.from('one'));
      client.write(new TextEncoder().encode('two'));
      client.end(new TextEncoder().encode('..three..').subarray(2, 7));
      return textOf(client);
    },
  },
  {
    name: 'an empty write calls back',
    expected: [true, 'called', ''],
    async run(stage) {
      const client = await stage.echo();
      stage.note(client.write(''));
      await new Promise<void>((resolve) => void client.write(Buffer.alloc(0), () => resolve()));
      stage.note('called');
      client.end();
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'write of anything else throws ERR_INVALID_ARG_TYPE, and of null ERR_STREAM_NULL_VALUES',
    expected: asNet,
    async run(stage) {
      const { client } = await stage.pair();
      return [
        thrown(() => client.write(5 as never)),
        thrown(() => client.write(null as never)),
        thrown(() => client.write({} as never)),
        thrown(() => client.write('x', 'none' as never)),
      ];
    },
  },
  {
    name: 'write after end is an error of the callback and of the socket',
    expected: [false, 'error ERR_STREAM_WRITE_AFTER_END', 'callback ERR_STREAM_WRITE_AFTER_END'].sort(),
    async run(stage) {
      const { client } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      client.end();
      stage.watch(client, ['error']);
      stage.note(client.write('late', (error) => stage.note(`callback ${(error as NodeJS.ErrnoException).code}`)));
      await closed(client);
      return stage.log.sort();
    },
  },
  {
    name: 'write after destroy fails with ERR_STREAM_DESTROYED, and only its callback hears of it',
    expected: [false, 'ERR_STREAM_DESTROYED'],
    async run(stage) {
      const { client } = await stage.pair();
      client.destroy();
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
        stage.note(client.write('late', (one) => resolve(one as NodeJS.ErrnoException)));
      });
      stage.note(error.code);
      return stage.log;
    },
  },
  {
    name: 'end(data, encoding, callback) writes, ends, and calls back at finish',
    expected: ['finish', 'callback', 'hello'].sort(),
    async run(stage) {
      const client = await stage.echo();
      stage.watch(client, ['finish']);
      client.end('68656c6c6f', 'hex', () => stage.note('callback'));
      stage.note(await textOf(client));
      return stage.log.sort();
    },
  },
  {
    name: 'end(callback) alone is allowed, and end returns the socket',
    expected: [true, 'callback'],
    async run(stage) {
      const client = await stage.echo();
      client.resume();
      await new Promise<void>((resolve) => stage.note(client.end(resolve) === client));
      stage.note('callback');
      return stage.log;
    },
  },
  {
    name: 'end twice is one end; a callback after the finish gets ERR_STREAM_ALREADY_FINISHED',
    expected: ['finish', 'ERR_STREAM_ALREADY_FINISHED'],
    async run(stage) {
      const client = await stage.echo();
      stage.watch(client, ['finish', 'error']);
      client.resume();
      client.end();
      client.end();
      await once(client, 'finish');
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => void client.end(resolve as () => void));
      stage.note(error.code);
      return stage.log;
    },
  },
  {
    name: 'writableEnded is true from end on, writableFinished from finish on, and writable is false after end',
    expected: [
      [false, false, true],
      [true, false, false],
      [true, true, false],
    ],
    async run(stage) {
      const client = await stage.echo();
      client.resume();
      stage.note(client.writableEnded, client.writableFinished, client.writable);
      client.end('x');
      stage.note(client.writableEnded, client.writableFinished, client.writable);
      await once(client, 'finish');
      stage.note(client.writableEnded, client.writableFinished, client.writable);
      return stage.log;
    },
  },
  {
    name: 'writableLength counts what waits for the connection',
    expected: [0, 3, 10],
    async run(stage) {
      const client = await stage.echo();
      stage.note(client.writableLength);
      client.write('abc');
      stage.note(client.writableLength);
      client.write(Buffer.alloc(7));
      stage.note(client.writableLength);
      return stage.log;
    },
  },
  {
    name: 'bytesWritten counts what waits for the connection, in bytes',
    expected: [0, 3, 13, 13],
    async run(stage) {
      const client = await stage.echo();
      stage.note(client.bytesWritten ?? 0);
      client.write('abc');
      stage.note(client.bytesWritten);
      client.write('\u00e9'.repeat(5));
      stage.note(client.bytesWritten);
      client.resume().end();
      await closed(client);
      stage.note(client.bytesWritten);
      return stage.log;
    },
  },
  {
    name: 'write returns false at the high-water mark, writableNeedDrain says so, and drain follows',
    expected: [false, true, 'drain', false, 0],
    async run(stage) {
      const client = await stage.echo({ highWaterMark: 4096 });
      client.resume();
      stage.watch(client, ['drain']);
      stage.note(client.write(Buffer.alloc(8192)));
      stage.note(client.writableNeedDrain);
      await once(client, 'drain');
      stage.note(client.writableNeedDrain);
      stage.note(client.writableLength);
      return stage.log;
    },
  },
  {
    name: 'a writer that waits for drain gets everything through',
    expected: 4_000_000,
    async run(stage) {
      const { client, served } = await stage.pair();
      let got = 0;
      served.on('data', (chunk: Buffer) => {
        got += chunk.length;
      });
      const ended = once(served, 'end');
      for (let i = 0; i < 100; i++) if (!client.write(Buffer.alloc(40_000))) await once(client, 'drain');
      client.end();
      await ended;
      return got;
    },
  },
  {
    name: 'cork holds writes back and uncork lets them go, in order',
    expected: [1, 6, 0, 'abcdef'],
    async run(stage) {
      const client = await stage.echo();
      await once(client, 'connect');
      client.cork();
      client.write('abc');
      client.write('def');
      stage.note(client.writableCorked);
      stage.note(client.writableLength);
      client.uncork();
      stage.note(client.writableCorked);
      client.end();
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'corks count, and end undoes them',
    expected: [2, 1, 'xyz'],
    async run(stage) {
      const client = await stage.echo();
      client.cork();
      client.cork();
      client.write('x');
      stage.note(client.writableCorked);
      client.uncork();
      client.write('y');
      stage.note(client.writableCorked);
      client.end('z');
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'large writes arrive whole, whatever they are made of',
    expected: [3_000_000, true],
    async run(stage) {
      const client = await stage.echo();
      const bytes = Buffer.alloc(1_000_000, 'rserpool');
      client.write(bytes);
      client.write(bytes.toString('latin1'), 'latin1');
      client.end(new Uint8Array(bytes));
      const got = await textOf(client);
      return [got.length, got === bytes.toString('latin1').repeat(3)];
    },
  },
  {
    name: 'setDefaultEncoding refuses what is no encoding',
    expected: 'TypeError ERR_UNKNOWN_ENCODING: Unknown encoding: none',
    async run(stage) {
      const { client } = await stage.pair();
      return thrown(() => client.setDefaultEncoding('none' as never));
    },
  },
  {
    name: 'a write is flushed before the close that destroySoon brings',
    expected: ['last words', 'close false'],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.watch(client, ['close']);
      served.setEncoding('utf8');
      let got = '';
      served.on('data', (text: string) => {
        got += text;
      });
      const ended = once(served, 'end');
      client.write('last words');
      client.destroySoon();
      await Promise.all([ended, closed(client)]);
      return [got, ...stage.log];
    },
  },
  {
    name: 'destroySoon after the finish destroys at once',
    expected: [true],
    async run(stage) {
      const { client } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      client.end();
      await once(client, 'finish');
      client.destroySoon();
      return [client.destroyed];
    },
  },
  {
    name: 'writev of many small writes keeps their order',
    expected: Array.from({ length: 500 }, (_, i) => `${i};`).join(''),
    async run(stage) {
      const client = await stage.echo();
      for (let i = 0; i < 500; i++) client.write(i % 2 === 0 ? `${i};` : Buffer.from(`${i};`));
      client.end();
      return textOf(client);
    },
  },
  {
    name: 'the server’s side writes as the client’s does',
    expected: ['hello', 5, true],
    async run(stage) {
      const { client, served } = await stage.pair();
      await new Promise<void>((resolve) => void served.write('hello', () => resolve()));
      served.end();
      stage.note(await textOf(client));
      stage.note(served.bytesWritten);
      stage.note(served.writableFinished);
      return stage.log;
    },
  },
];

inAllWorlds(cases);
