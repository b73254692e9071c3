import { createHash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { seededRandom } from '../../lib/random.js';
import { benchTest, type Pair, pair, type TransportBench } from './bench.js';
import { portCompliance } from './port-compliance.js';
import type { WatchedStream } from './watched-stream.js';

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Registers a test for each promise of lib/transport/transport.ts about byte streams. */
export function byteStreamCompliance(name: string, open: () => Promise<TransportBench>): void {
  const it = benchTest(name, open);
  /** A test with an open connection, at whose end no promise about callbacks may have been broken. */
  const connected = (title: string, run: (t: ExecutionContext, pair: Pair, bench: TransportBench) => Promise<void>) =>
    it(title, async (t, bench) => {
      const both = await pair(bench);
      await run(t, both, bench);
      for (const stream of [both.near, both.far]) {
        stream.destroy();
        await stream.closed();
      }
      await bench.turn();
      for (const stream of [both.near, both.far]) {
        t.deepEqual(stream.violations, []);
        t.is(stream.closes, 1);
        t.is(stream.events.at(-1), 'close');
      }
      both.port.listener.close();
    });

  connected('both ends know their own address and the other', async (t, { near, far, port }) => {
    t.deepEqual(near.stream.remoteAddress, port.address);
    t.deepEqual(far.stream.localAddress, port.address);
    t.deepEqual(near.stream.localAddress, far.stream.remoteAddress);
    t.not(near.stream.localAddress.port, port.address.port);
  });

  connected('chunks of one write and of several arrive in order', async (t, { near, far }) => {
    near.write('a', 'bc', '', 'def');
    near.write('gh');
    near.write('i', 'j');
    await far.until(() => far.receivedBytes === 10);
    t.is(far.text, 'abcdefghij');
    far.write('back');
    await near.until(() => near.receivedBytes === 4);
    t.is(near.text, 'back');
  });

  connected('a write of no chunks sends nothing', async (t, { near, far }) => {
    t.true(near.write());
    near.write('x');
    await far.until(() => far.receivedBytes > 0);
    t.is(far.text, 'x');
  });

  connected('megabytes arrive byte for byte while both sides send and pause', async (t, { near, far }) => {
    const random = seededRandom(8);
    const size = 6 * 1024 * 1024;
    const sent = [random.bytes(size), random.bytes(size)] as const;
    const pump = (from: WatchedStream, bytes: Uint8Array): void => {
      let at = 0;
      const send = (): void => {
        while (at < size) {
          const chunks: Uint8Array[] = [];
          for (let n = 1 + Math.floor(random.uniform() * 4); n > 0 && at < size; n--) {
            const length = Math.min(size - at, 1 + Math.floor(random.uniform() * 60_000));
            chunks.push(bytes.subarray(at, at + length));
            at += length;
          }
          if (!from.write(...chunks)) return;
        }
        from.end();
      };
      let events = 0;
      from.onEvent = (event) => {
        if (event === 'drain') send();
        if (event === 'data' && ++events % 16 === 0) {
          from.pause();
          from.resume();
        }
      };
      send();
    };
    pump(near, sent[0]);
    pump(far, sent[1]);
    await Promise.all([near.closed(), far.closed()]);
    t.is(far.receivedBytes, size);
    t.is(near.receivedBytes, size);
    t.is(digest(far.received), digest(sent[0]));
    t.is(digest(near.received), digest(sent[1]));
    t.is(near.error, undefined);
    t.is(far.error, undefined);
  });

  connected(
    'write says no while the far side does not read, and drain follows when it does',
    async (t, { near, far }) => {
      far.pause();
      const block = new Uint8Array(256 * 1024);
      let written = 0;
      // What a system holds for a connection is bounded: long before 256 MiB it must be full.
      while (near.stream.bufferedBytes === 0 && written < 256 * 1024 * 1024) {
        near.write(block);
        written += block.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      t.false(near.write(block));
      written += block.length;
      t.true(near.stream.bufferedBytes > 0);
      t.false(near.events.includes('close'));
      const drains = near.events.filter((event) => event === 'drain').length;
      far.resume();
      await far.until(() => far.receivedBytes === written);
      await near.until(
        () => near.events.filter((event) => event === 'drain').length > drains || near.stream.bufferedBytes === 0,
      );
      t.true(near.events.includes('drain'));
      t.is(near.stream.bufferedBytes, 0);
    },
  );

  connected('a paused stream hands on nothing until it is resumed', async (t, { near, far }, bench) => {
    far.pause();
    near.write('later');
    near.end();
    await bench.turn();
    await bench.turn();
    t.deepEqual(far.events, []);
    far.resume();
    await far.until(() => far.events.includes('end'));
    t.is(far.text, 'later');
    t.deepEqual(far.events, ['data', 'end']);
  });

  connected('a stream paused within onData gets no more until it is resumed', async (t, { near, far }, bench) => {
    far.onEvent = (event) => event === 'data' && far.pause();
    near.write('first');
    await far.until(() => far.receivedBytes > 0);
    const before = far.receivedBytes;
    near.write('second');
    await bench.turn();
    await bench.turn();
    t.is(far.receivedBytes, before);
    far.onEvent = () => {};
    far.resume();
    await far.until(() => far.receivedBytes === 11);
    t.is(far.text, 'firstsecond');
  });

  connected('after our end the far side may go on', async (t, { near, far }) => {
    near.write('question');
    near.end();
    await far.until(() => far.events.includes('end'));
    t.is(far.text, 'question');
    far.write('answer');
    await near.until(() => near.receivedBytes === 6);
    t.deepEqual(near.events, ['data']);
    far.end();
    await Promise.all([near.closed(), far.closed()]);
    t.deepEqual(near.events, ['data', 'end', 'close']);
    t.deepEqual(far.events, ['data', 'end', 'close']);
    t.is(near.error, undefined);
    t.is(far.error, undefined);
  });

  connected('after the far side’s end ours may go on', async (t, { near, far }) => {
    far.end();
    await near.until(() => near.events.includes('end'));
    near.write('still here');
    await far.until(() => far.receivedBytes === 10);
    near.end();
    await Promise.all([near.closed(), far.closed()]);
    t.is(far.text, 'still here');
    t.is(near.error, undefined);
    t.is(far.error, undefined);
  });

  connected('writing and ending after the end do nothing', async (t, { near, far }) => {
    near.write('all');
    near.end();
    t.true(near.write('too late'));
    near.end();
    await far.until(() => far.events.includes('end'));
    t.is(far.text, 'all');
    far.end();
    await near.closed();
    t.true(near.write('much too late'));
    t.is(near.error, undefined);
  });

  connected('destroy closes without error; the far side sees an end', async (t, { near, far }) => {
    near.write('last words');
    await far.until(() => far.receivedBytes === 10);
    near.destroy();
    t.is(near.closes, 0);
    await near.closed();
    t.is(near.error, undefined);
    await far.until(() => far.events.includes('end'));
    far.end();
    await far.closed();
    t.is(far.error, undefined);
  });

  connected('destroy within an event: no other event but close follows', async (t, { near, far }) => {
    far.onEvent = (event) => event === 'data' && far.destroy();
    near.write('one');
    await far.closed();
    t.deepEqual(far.events, ['data', 'close']);
    t.is(far.error, undefined);
    near.destroy();
    await near.closed();
  });

  connected('a reset reaches the far side as ECONNRESET, without an end', async (t, { near, far }) => {
    near.write('last words');
    await far.until(() => far.receivedBytes === 10);
    near.destroy('reset');
    await Promise.all([near.closed(), far.closed()]);
    t.is(near.error, undefined);
    t.is(far.error?.code, 'ECONNRESET');
    t.false(far.events.includes('end'));
  });

  for (const ended of [false, true]) {
    const state = ended ? 'that was ended ' : '';
    connected(`a reset ${state}does not wait for a far side that reads nothing`, async (t, { near, far }) => {
      far.pause();
      const block = new Uint8Array(1024 * 1024);
      let written = 0;
      while (near.stream.bufferedBytes === 0) {
        near.write(block);
        written += block.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (ended) near.end();
      near.destroy('reset');
      await near.closed();
      t.is(near.error, undefined);
      far.resume();
      // A system that had more to hand on may tell of an end instead of the reset.
      await far.until(() => far.events.includes('end') || far.closes > 0);
      t.true(far.receivedBytes < written);
    });
  }

  connected('whoever is the handler when it happens is told', async (t, { near, far }) => {
    const seen: string[] = [];
    const second = {
      onData: (chunk: Uint8Array) => seen.push(Buffer.from(chunk).toString()),
      onDrain() {},
      onEnd: () => seen.push('end'),
      onClose(error: Error | undefined) {
        seen.push('close');
        far.onClose(error);
      },
    };
    far.onEvent = (event) => {
      if (event === 'data') far.stream.handler = second;
    };
    near.write('first');
    await far.until(() => far.receivedBytes > 0);
    near.write('second');
    near.end();
    far.stream.end();
    await Promise.all([near.closed(), far.closed()]);
    t.is(far.text + seen.filter((word) => !['end', 'close'].includes(word)).join(''), 'firstsecond');
    t.deepEqual(seen.slice(-2), ['end', 'close']);
  });

  connected('a handler exchanged after destroy is the one that learns of the close', async (t, { near }) => {
    const closed = new Promise<void>((resolve) => {
      near.destroy();
      near.stream.handler = {
        onData() {},
        onDrain() {},
        onEnd() {},
        onClose(error) {
          near.onClose(error);
          resolve();
        },
      };
    });
    await closed;
    t.is(near.error, undefined);
  });

  connected('ref, unref, pause and resume of a closed stream are harmless', async (t, { near, far }) => {
    near.stream.unref();
    near.stream.ref();
    near.destroy('reset');
    await Promise.all([near.closed(), far.closed()]);
    near.pause();
    near.resume();
    near.end();
    near.destroy();
    near.destroy('reset');
    near.stream.unref();
    near.stream.ref();
    t.is(near.closes, 1);
  });

  portCompliance(name, open);
}
