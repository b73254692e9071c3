/** Sockets in the hands of Node's stream library and other modules. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { addAbortSignal, Duplex, finished, PassThrough, Readable, Transform, Writable } from 'node:stream';
import * as promises from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type Case, closed, inAllWorlds, textOf } from './worlds.js';

const upper = (): Transform =>
  new Transform({ transform: (chunk: Buffer, _, done) => done(null, chunk.toString().toUpperCase()) });

const cases: Case[] = [
  {
    name: 'pipe to a writable, and from a readable',
    expected: 'from a readable',
    async run(stage) {
      const client = await stage.echo();
      Readable.from(['from ', 'a ', 'readable']).pipe(client);
      const through = new PassThrough();
      client.pipe(through);
      return textOf(through);
    },
  },
  {
    name: 'pipe with end: false leaves the socket open',
    expected: [false, 'data and more'],
    async run(stage) {
      const client = await stage.echo();
      const source = Readable.from(['data']);
      source.pipe(client, { end: false });
      await once(source, 'end');
      stage.note(client.writableEnded);
      client.end(' and more');
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'unpipe stops what pipe began',
    expected: ['kept'],
    async run(stage) {
      const { client, served } = await stage.pair();
      const sink = new PassThrough();
      client.pipe(sink);
      client.unpipe(sink);
      client.resume();
      served.write('kept');
      const [chunk] = (await once(client, 'data')) as [Buffer];
      return [chunk.toString()];
    },
  },
  {
    name: 'pipeline through a transform at the server',
    expected: 'SHOUT',
    async run(stage) {
      const server = await stage.open(
        stage.server((socket) => void promises.pipeline(socket, upper(), socket).catch(() => {})),
      );
      const client = stage.connect(server);
      client.end('shout');
      return textOf(client);
    },
  },
  {
    name: 'pipeline from a generator into the socket and out of it into a collector',
    expected: 'abc',
    async run(stage) {
      const client = await stage.echo();
      let got = '';
      const sink = new Writable({
        write(chunk: Buffer, _, done) {
          got += chunk.toString();
          done();
        },
      });
      const source = function* (): Generator<string> {
        yield* ['a', 'b', 'c'];
      };
      await Promise.all([promises.pipeline(source, client, { end: true }), promises.pipeline(client, sink)]);
      return got;
    },
  },
  {
    name: 'pipeline destroys the socket when its source fails',
    expected: ['source broke', true],
    async run(stage) {
      const { client } = await stage.pair();
      const source = new Readable({ read() {} });
      const piped = promises.pipeline(source, client).catch((error: Error) => error.message);
      source.destroy(new Error('source broke'));
      stage.note(await piped);
      stage.note(client.destroyed);
      return stage.log;
    },
  },
  {
    name: 'finished calls back when both sides have ended',
    expected: ['finished without error'],
    async run(stage) {
      const client = await stage.echo();
      client.resume().end('x');
      const error = await new Promise<unknown>((resolve) => void finished(client, resolve));
      return [error === undefined || error === null ? 'finished without error' : error];
    },
  },
  {
    name: 'finished reports a premature close',
    expected: 'ERR_STREAM_PREMATURE_CLOSE',
    async run(stage) {
      const { client } = await stage.pair();
      setImmediate(() => client.destroy());
      return promises.finished(client).then(
        () => 'finished',
        (error: NodeJS.ErrnoException) => error.code,
      );
    },
  },
  {
    name: 'finished with writable: false waits for the readable side alone',
    expected: 'end',
    async run(stage) {
      const { client, served } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      client.resume();
      served.end();
      await promises.finished(client, { writable: false });
      return client.readableEnded ? 'end' : 'no end';
    },
  },
  {
    name: 'Duplex.toWeb gives streams of both directions',
    expected: 'webbed',
    async run(stage) {
      const client = await stage.echo();
      await once(client, 'connect');
      const { readable, writable } = Duplex.toWeb(client);
      const writer = writable.getWriter();
      await writer.write(Buffer.from('web'));
      await writer.write(Buffer.from('bed'));
      await writer.close();
      let text = '';
      for await (const chunk of readable) text += Buffer.from(chunk as Uint8Array).toString();
      return text;
    },
  },
  {
    name: 'Readable.toWeb reads a socket to its end',
    expected: 'to the end',
    async run(stage) {
      const { client, served } = await stage.pair();
      served.end('to the end');
      let text = '';
      for await (const chunk of Readable.toWeb(client)) text += Buffer.from(chunk as Uint8Array).toString();
      return text;
    },
  },
  {
    name: 'gzip goes through and comes back',
    expected: 'x'.repeat(100_000),
    async run(stage) {
      const client = await stage.echo();
      const zip = createGzip();
      zip.pipe(client);
      zip.end('x'.repeat(100_000));
      return textOf(client.pipe(createGunzip()));
    },
  },
  {
    name: 'readline reads lines',
    expected: ['one', 'two', 'three'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.write('one\ntw');
      served.end('o\nthree');
      for await (const line of createInterface({ input: client })) stage.note(line);
      return stage.log;
    },
  },
  {
    name: 'the iterator helpers of Readable work',
    expected: ['A', 'B'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.end('a,b');
      const all = await client
        .setEncoding('utf8')
        .map((chunk: string) => chunk.toUpperCase())
        .toArray();
      return all.join('').split(',');
    },
  },
  {
    name: 'addAbortSignal destroys the socket',
    expected: ['ABORT_ERR', true],
    async run(stage) {
      const { client } = await stage.pair();
      const controller = new AbortController();
      addAbortSignal(controller.signal, client);
      const failed = new Promise<NodeJS.ErrnoException>((resolve) => void client.once('error', resolve));
      controller.abort();
      stage.note((await failed).code);
      stage.note(client.destroyed);
      return stage.log;
    },
  },
  {
    name: 'events.once and events.on work on sockets',
    expected: ['x', 'AbortError'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.write('x');
      const [chunk] = (await once(client, 'data')) as [Buffer];
      stage.note(chunk.toString());
      const controller = new AbortController();
      const waiting = once(client, 'end', { signal: controller.signal });
      controller.abort();
      stage.note(await waiting.catch((error: Error) => error.name));
      return stage.log;
    },
  },
  {
    name: 'two sockets piped into each other are a proxy',
    expected: 'through a proxy',
    async run(stage) {
      const target = await stage.open(stage.server((socket) => void socket.on('error', () => {}).pipe(socket)));
      const proxy = await stage.open(
        stage.server({ allowHalfOpen: true }, (socket) => {
          const onward = stage.connect(target);
          socket.pipe(onward).pipe(socket);
        }),
      );
      const client = stage.connect(proxy);
      client.end('through a proxy');
      return textOf(client);
    },
  },
  {
    name: 'captureRejections and error listeners of the stream library see one error',
    expected: ['mine'],
    async run(stage) {
      const { client } = await stage.pair();
      client.on('error', (error) => stage.note(error.message));
      const ended = promises.finished(client).catch(() => {});
      client.destroy(new Error('mine'));
      await ended;
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'a socket is a Duplex, a Readable and a Writable in the eyes of instanceof',
    expected: [true, true, true, true],
    async run(stage) {
      const { client } = await stage.pair();
      return [
        client instanceof Duplex,
        client instanceof Readable,
        client instanceof Writable,
        client instanceof stage.net.Socket,
      ];
    },
  },
  {
    name: 'stream.compose and Readable.from take sockets',
    expected: 'LOUD',
    async run(stage) {
      const client = await stage.echo();
      client.end('loud');
      return textOf(client.pipe(upper()));
    },
  },
];

inAllWorlds(cases);
