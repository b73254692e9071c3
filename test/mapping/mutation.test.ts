import test from 'ava';
import { dataFlag, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { type Random, seededRandom } from '../../lib/random.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';

const rounds = 100_000;
const whole = dataFlag.begin | dataFlag.end;
/** So small that mutations come up against them. */
const options = { window: 4096, longestPayload: 1024, longestMessage: 2048, openMessages: 3, highWaterMark: 4096 };
/** Bytes that a connection may hold of messages: what arrived and was not taken, and what is not whole. */
const most = options.window + options.longestPayload + 64 + options.longestMessage;

const kinds: readonly ((random: Random) => Uint8Array)[] = [
  (random) => data(whole, pick(random, 9), random.bytes(pick(random, 40)), pick(random, 3)),
  (random) =>
    data(pick(random, 32), pick(random, 9), random.bytes(pick(random, 900)), pick(random, 3), 0, pick(random, 3)),
  (random) => data(dataFlag.begin, 5, random.bytes(1000), pick(random, 5)),
  (random) => data(0, 5, random.bytes(1000), pick(random, 5)),
  (random) => data(whole, 0, random.bytes(pick(random, 30)), 0, 11),
  (random) =>
    frame(
      frameType.heartbeat,
      words(pick(random, 99), pick(random, 99), pick(random, 99), 0xffffffff),
      pick(random, 4),
    ),
  (random) => frame(frameType.credit, words(pick(random, 2), pick(random, 9999))),
  (random) => frame(frameType.acknowledgement, words(pick(random, 4))),
  (random) => frame(frameType.shutdown, words(pick(random, 9))),
  (random) => frame(0x80 + pick(random, 0x80), random.bytes(pick(random, 50))),
  (random) => frame(frameType.abort, words(pick(random, 10))),
  () => frame(frameType.goElsewhere),
];

function pick(random: Random, limit: number): number {
  return Math.floor(random.uniform() * limit);
}

/** A conversation of up to 12 frames, a little of which is not what it should be. */
function mutated(random: Random): Uint8Array {
  const frames: Uint8Array[] = [magic, helloFrame({ poolHandle: 'echo', credit: pick(random, 3000) })];
  // Most conversations have a lease, so that what they say is handed on.
  if (random.uniform() < 0.8) frames.push(frame(frameType.heartbeat, words(0, 0, 0, 0xffffffff), 2));
  for (let count = pick(random, 10); count > 0; count--) frames.push(kinds[pick(random, kinds.length)]!(random));
  let bytes = new Uint8Array(Buffer.concat(frames));
  // Three of four are damaged beyond the magic; of the rest only order and contents are odd.
  for (let edits = pick(random, 4); edits > 0; edits--) {
    const at =
      random.uniform() < 0.05 ? pick(random, bytes.length) : Math.min(bytes.length - 1, 8 + pick(random, bytes.length));
    const edit = pick(random, 4);
    if (edit === 0) bytes[at]! ^= 1 << pick(random, 8);
    else if (edit === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff][pick(random, 5)]!;
    else if (edit === 2) bytes = bytes.slice(0, Math.max(1, at));
    else
      bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), random.bytes(pick(random, 9)), bytes.subarray(at)]));
  }
  return bytes;
}

test(`${rounds} mutated conversations: no exception, open or closed with a proper error, little held`, (t) => {
  const random = seededRandom(5352);
  const outcomes = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const role = round % 2 === 0 ? 'element' : 'user';
    const peer = new RawPeer(role, options, { fragment: round % 3 === 0, random });
    const { owner } = peer;
    owner.taking = random.uniform() < 0.5;
    let held = 0;
    owner.onArrival = (message) => {
      held += message.data.length;
      if (random.uniform() < 0.3) owner.send(random.bytes(pick(random, 2000)));
      if (random.uniform() < 0.1) owner.connection.take(message);
      if (random.uniform() < 0.02) owner.connection.abort(4, 'enough');
    };
    peer.stream.write([mutated(random)]);
    peer.run(5);
    if (random.uniform() < 0.3) {
      peer.stream.end();
      peer.run(5);
    }
    const code = owner.error?.code ?? (owner.closes === 0 ? 'open' : 'closed');
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    const proper =
      owner.closes <= 1 &&
      (owner.error === undefined || (owner.error.origin === 'remote' && owner.error.code.startsWith('ERR_RSERPOOL_')));
    if (!proper || (!owner.taking && held > most)) {
      t.fail(`round ${round}: ${owner.closes} closes, ${owner.error?.stack}, ${held} bytes held`);
      return;
    }
    // However it ended, nothing stays behind once the far side is gone.
    peer.stream.destroy('reset');
    if (round % 100 === 0) {
      peer.run(60_000);
      if (owner.closes !== 1 || peer.network.time.next !== undefined) {
        t.fail(`round ${round}: ${owner.closes} closes, something is left at ${peer.network.time.next}`);
        return;
      }
    }
  }
  // The mutations reach all ends that the far side can bring about in this time.
  for (const end of [
    'open',
    'closed',
    'ERR_RSERPOOL_PROTOCOL',
    'ERR_RSERPOOL_CONNECTION_BROKEN',
    'ERR_RSERPOOL_ABORTED',
    'ERR_RSERPOOL_VERSION_MISMATCH',
    'ERR_RSERPOOL_WRONG_ELEMENT',
  ]) {
    t.true((outcomes.get(end) ?? 0) >= 10, `${end}: ${outcomes.get(end)}`);
  }
});
