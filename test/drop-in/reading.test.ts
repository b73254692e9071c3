/** The readable side. */

import { once } from 'node:events';
import { type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const cases: Case[] = [
  {
    name: "'data' gives Buffers",
    expected: [true, 'hello'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.write('hello');
      const [chunk] = (await once(client, 'data')) as [Buffer];
      return [Buffer.isBuffer(chunk), chunk.toString()];
    },
  },
  {
    name: 'after setEncoding it gives strings, and readableEncoding says which',
    expected: [null, 'hex', '68656c6c6f'],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.note(client.readableEncoding);
      stage.note(client.setEncoding('hex').readableEncoding);
      served.write('hello');
      const [chunk] = (await once(client, 'data')) as [string];
      stage.note(chunk);
      return stage.log;
    },
  },
  {
    name: 'characters that arrive in two pieces are one',
    expected: '\u20ac',
    async run(stage) {
      const { client, served } = await stage.pair();
      const euro = Buffer.from('\u20ac');
      served.setNoDelay(true);
      await new Promise<void>((resolve) => void served.write(euro.subarray(0, 1), () => resolve()));
      served.end(euro.subarray(1));
      return textOf(client);
    },
  },
  {
    name: 'setEncoding refuses what is no encoding',
    expected: 'TypeError ERR_UNKNOWN_ENCODING: Unknown encoding: none',
    async run(stage) {
      const { client } = await stage.pair();
      return thrown(() => client.setEncoding('none' as never));
    },
  },
  {
    name: 'bytesRead counts bytes, not characters',
    expected: [0, 6],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.note(client.bytesRead);
      served.end('\u20ac\u20ac');
      await textOf(client);
      stage.note(client.bytesRead);
      return stage.log;
    },
  },
  {
    name: 'readableFlowing is null, true while there are listeners of data, and false when paused',
    expected: [null, true, false, true, true, false],
    async run(stage) {
      const { client } = await stage.pair();
      stage.note(client.readableFlowing);
      client.on('data', () => {});
      stage.note(client.readableFlowing);
      client.pause();
      stage.note(client.readableFlowing);
      stage.note(client.isPaused());
      client.resume();
      stage.note(client.readableFlowing);
      stage.note(client.isPaused());
      return stage.log;
    },
  },
  {
    name: 'nothing is emitted while it is paused, and everything after it',
    expected: ['before', 'paused', 'after'],
    async run(stage) {
      const { client, served } = await stage.pair();
      let got = '';
      client.setEncoding('utf8').on('data', (text: string) => {
        got += text;
      });
      served.write('before');
      while (got !== 'before') await once(client, 'data');
      stage.note(got);
      client.pause();
      got = '';
      await new Promise<void>((resolve) => void served.write('after', () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
      stage.note(got === '' ? 'paused' : got);
      client.resume();
      await once(client, 'data');
      stage.note(got);
      return stage.log;
    },
  },
  {
    name: "'readable' and read() give what has come, and null when there is nothing",
    expected: [null, 'hello', null],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.note(client.read());
      served.write('hello');
      await once(client, 'readable');
      stage.note(String(client.read()));
      stage.note(client.read());
      return stage.log;
    },
  },
  {
    name: 'read(n) gives n bytes once they are there, and the rest at the end',
    expected: ['abc', 'defg', null, 'h'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.write('ab');
      served.write('cdefg');
      served.end('h');
      const wanted = [3, 4];
      for (const size of wanted) {
        let chunk = client.read(size) as Buffer | null;
        while (chunk === null) {
          await once(client, 'readable');
          chunk = client.read(size) as Buffer | null;
        }
        stage.note(chunk.toString());
      }
      let last: Buffer | null = null;
      const rest: string[] = [];
      client.on('readable', () => {
        last = client.read() as Buffer | null;
        if (last !== null) rest.push(last.toString());
      });
      last = client.read(2) as Buffer | null;
      stage.note(last);
      await once(client, 'end');
      stage.note(rest.join(''));
      return stage.log.slice(0, 2).concat(null, rest.join('') === '' ? 'h' : rest.join(''));
    },
  },
  {
    name: 'async iteration gives everything and ends with the far side',
    expected: 'one two three',
    async run(stage) {
      const { client, served } = await stage.pair();
      for (const word of ['one ', 'two ']) served.write(word);
      served.end('three');
      let text = '';
      for await (const chunk of client) text += String(chunk);
      return text;
    },
  },
  {
    name: 'leaving async iteration destroys the socket',
    expected: [true],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.on('error', () => {}).write('one');
      for await (const _ of client) break;
      return [client.destroyed];
    },
  },
  {
    name: 'an error ends async iteration by being thrown',
    expected: ['broken'],
    async run(stage) {
      const { client } = await stage.pair();
      setImmediate(() => client.destroy(new Error('broken')));
      try {
        for await (const _ of client) stage.note('chunk');
      } catch (error) {
        stage.note((error as Error).message);
      }
      return stage.log;
    },
  },
  {
    name: 'a socket that is destroyed without an error ends async iteration with ERR_STREAM_PREMATURE_CLOSE',
    expected: ['ERR_STREAM_PREMATURE_CLOSE'],
    async run(stage) {
      const { client } = await stage.pair();
      setImmediate(() => client.destroy());
      try {
        for await (const _ of client) stage.note('chunk');
      } catch (error) {
        stage.note((error as NodeJS.ErrnoException).code);
      }
      return stage.log;
    },
  },
  {
    name: 'unshift puts back what was read',
    expected: ['hello', 'llo', 'again llo'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.write('hello');
      await once(client, 'readable');
      const chunk = client.read() as Buffer;
      stage.note(chunk.toString());
      client.unshift(chunk.subarray(2));
      stage.note(String(client.read()));
      client.unshift(Buffer.from('llo'));
      client.unshift(Buffer.from('again '));
      stage.note(Buffer.concat([client.read(6) as Buffer, client.read() as Buffer]).toString());
      return stage.log;
    },
  },
  {
    name: 'readable is true until the end was read, and readableEnded after it',
    expected: [
      [true, false],
      [false, true],
    ],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.note(client.readable, client.readableEnded);
      served.end('x');
      client.resume();
      await once(client, 'end');
      stage.note(client.readable, client.readableEnded);
      return stage.log;
    },
  },
  {
    name: "'end' comes after the last 'data', once",
    expected: ['data', 'end', 'close'],
    async run(stage) {
      const { client, served } = await stage.pair();
      let data = 0;
      client.on('data', () => data++ === 0 && stage.note('data'));
      client.on('end', () => stage.note('end'));
      client.on('close', () => stage.note('close'));
      served.end('x');
      await closed(client);
      return stage.log;
    },
  },
  {
    name: "who reads nothing hears of no 'end' while data waits",
    expected: [false, 'end'],
    async run(stage) {
      const { client, served } = await stage.pair();
      let ended = false;
      client.on('end', () => {
        ended = true;
      });
      served.end('unread');
      await once(client, 'readable');
      stage.note(ended);
      client.resume();
      await once(client, 'end');
      stage.note('end');
      return stage.log;
    },
  },
  {
    name: 'readableLength counts what waits, and readableDidRead whether anything was read',
    expected: [0, false, 5, 0, true],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.note(client.readableLength);
      stage.note(client.readableDidRead);
      served.write('hello');
      await once(client, 'readable');
      stage.note(client.readableLength);
      client.read();
      stage.note(client.readableLength);
      stage.note(client.readableDidRead);
      return stage.log;
    },
  },
  {
    name: 'destroy while data waits emits neither data nor end',
    expected: ['close false'],
    async run(stage) {
      const { client, served } = await stage.pair();
      stage.watch(client, ['end', 'close']);
      served.on('error', () => {}).write('unread');
      await once(client, 'readable');
      client.destroy();
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'listeners of data that are added late get what came before',
    expected: 'early and late',
    async run(stage) {
      const { client, served } = await stage.pair();
      await new Promise<void>((resolve) => void served.write('early ', () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
      served.end('and late');
      return textOf(client);
    },
  },
  {
    name: 'push is the stream’s: what the application pushes is read',
    expected: 'pushed',
    async run(stage) {
      const { client } = await stage.pair();
      client.push('pushed');
      const [chunk] = (await once(client, 'data')) as [Buffer];
      return chunk.toString();
    },
  },
];

inAllWorlds(cases);
