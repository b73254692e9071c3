import test from 'ava';
import { openAsapChannel } from '../../lib/asap/asap-channel.js';
import { asapChannelLimits } from '../../lib/asap/options.js';
import { type ByteStream, noHandler } from '../../lib/transport/transport.js';
import { World } from './world.js';

/** A stream whose far side takes nothing: what is written stays, and our own end never leaves. */
function stuckStream(): { stream: ByteStream; calls: string[] } {
  const calls: string[] = [];
  const here = { host: '10.0.0.1', port: 1 };
  const stream: ByteStream = {
    localAddress: here,
    remoteAddress: here,
    handler: noHandler,
    bufferedBytes: 1_000,
    write: () => calls.push('write') < 0,
    end: () => void calls.push('end'),
    destroy: () => void calls.push('destroy'),
    pause() {},
    resume() {},
    ref() {},
    unref() {},
  };
  return { stream, calls };
}

test('a far side that ended its direction has closeTimeout to take what was sent, then the stream is destroyed', (t) => {
  const world = new World();
  const { stream, calls } = stuckStream();
  const limits = asapChannelLimits({ closeTimeout: 1_000 });
  const { clock } = world.network.spawn('10.0.0.1');
  const { channel } = openAsapChannel(stream, { onMessage() {}, onClose() {} }, clock, limits);
  stream.handler.onEnd();
  t.false(channel.open);
  world.run(999);
  t.deepEqual(calls, ['end']);
  world.run(1);
  t.deepEqual(calls, ['end', 'destroy']);
});

test('a stream that closes in time after the far side ended is left alone', (t) => {
  const world = new World();
  const { stream, calls } = stuckStream();
  const closed: (Error | undefined)[] = [];
  const { clock } = world.network.spawn('10.0.0.1');
  const handler = { onMessage() {}, onClose: (error: Error | undefined) => void closed.push(error) };
  openAsapChannel(stream, handler, clock, asapChannelLimits());
  stream.handler.onEnd();
  world.run(10);
  stream.handler.onClose(undefined);
  world.run(10_000);
  t.deepEqual(calls, ['end']);
  t.deepEqual(closed, [undefined]);
});
