import test from 'ava';
import { abortCode, type MappingConnection } from '../../lib/mapping/mapping.js';
import { seededRandom } from '../../lib/random.js';
import type { Owner } from './pair.js';

/** A user and an element with an open connection of the mapping under test between them, in virtual time. */
export interface MappingBench {
  readonly user: Owner;
  readonly element: Owner;
  /** Runs everything that falls due in the next `duration` ms. */
  run(duration: number): void;
  freezeElement(): void;
  thawElement(): void;
  killElement(): void;
  /** Milliseconds until a killed element is noticed by its silence. Default: its system tells at once. */
  readonly silentDeath?: number;
  /** Breaks what carries the connection while both live; absent where that ends it. */
  breakCarrier?(): void;
}

function sequences(owner: Owner): readonly number[] {
  return owner.messages.map(({ sequence }) => sequence);
}

/** Registers a test for each promise of `MappingConnection` that every mapping must keep; `features` decides on others. */
export function mappingCompliance(name: string, open: () => MappingBench): void {
  const it = test;

  it(`${name}: messages keep their boundaries, order and everything that was said of them`, (t) => {
    const { user, element, run } = open();
    const sizes = [0, 1, 100, 4096, 4097, 65_536, 200_000];
    const random = seededRandom(1);
    const sent = sizes.map((size) => random.bytes(size));
    for (const [i, data] of sent.entries()) user.send(data, { ppid: i === 0 ? 39 : 40 + i, redelivered: i % 2 === 1 });
    run(500);
    t.deepEqual(
      element.messages.map((message) => Buffer.compare(message.data, sent[message.sequence - 1]!)),
      sizes.map(() => 0),
    );
    t.deepEqual(sequences(element), [1, 2, 3, 4, 5, 6, 7]);
    t.deepEqual(
      element.messages.map(({ redelivered }) => redelivered),
      [false, true, false, true, false, true, false],
    );
    t.deepEqual(
      element.messages.map(({ ppid }) => ppid),
      [39, 41, 42, 43, 44, 45, 46],
    );
    t.is(user.acknowledged, sizes.length);
    t.is(user.connection.sentMessages, sizes.length);
    t.is(user.connection.queuedBytes, 0);
  });

  it(`${name}: streams keep their numbers, where there are streams`, (t) => {
    const { user, element, run } = open();
    const streamId = user.connection.features.streams ? 65_535 : 0;
    user.send('x', { streamId });
    run(50);
    t.is(element.messages[0]?.streamId, streamId);
  });

  it(`${name}: messages of one stream keep their order, unordered ones come all the same, each exactly once`, (t) => {
    const { user, element, run } = open();
    const { streams, unordered } = user.connection.features;
    const random = seededRandom(5);
    const sent = Array.from({ length: 60 }, (_, i) => ({
      streamId: streams ? i % 5 : 0,
      unordered: unordered && i % 3 === 0,
      data: random.bytes(i % 7 === 0 ? 20_000 : 20),
    }));
    for (const { data, ...options } of sent) user.send(data, options);
    run(3000);
    t.deepEqual(
      sequences(element).toSorted((a, b) => a - b),
      sent.map((_, i) => i + 1),
    );
    for (let stream = 0; stream < 5; stream++) {
      const inOrder = element.messages.filter((message) => message.streamId === stream && !message.unordered);
      const numbers = inOrder.map(({ sequence }) => sequence);
      t.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
    for (const { sequence, data } of element.messages) t.is(Buffer.compare(data, sent[sequence - 1]!.data), 0);
    t.is(user.acknowledged, sent.length);
  });

  it(`${name}: where it can be resumed, a connection that breaks goes on, both directions exactly once`, (t) => {
    const { user, element, run, breakCarrier } = open();
    if (breakCarrier === undefined) {
      t.pass('what carries this mapping does not break alone');
      return;
    }
    t.true(user.connection.features.resume);
    element.onArrival = ({ sequence }) => {
      element.send(`answer ${sequence}`, { inAnswerTo: sequence, lastAnswer: true });
    };
    for (let i = 1; i <= 30; i++) {
      user.send(`message ${i}`);
      run(i % 4);
      if (i % 3 === 0) breakCarrier();
    }
    run(500);
    t.deepEqual(
      element.texts,
      Array.from({ length: 30 }, (_, i) => `message ${i + 1}`),
    );
    t.deepEqual(
      user.texts,
      Array.from({ length: 30 }, (_, i) => `answer ${i + 1}`),
    );
    t.is(user.acknowledged, 30);
    t.is(user.closes + element.closes, 0);
  });

  it(`${name}: answers say what they answer`, (t) => {
    const { user, element, run } = open();
    element.onArrival = (message) => {
      element.send('some', { inAnswerTo: message.sequence });
      element.send('last', { inAnswerTo: message.sequence, lastAnswer: true });
    };
    user.send('question', { sequence: 77 });
    run(50);
    t.deepEqual(
      user.messages.map(({ inAnswerTo, lastAnswer }) => [inAnswerTo, lastAnswer]),
      [
        [77, false],
        [77, true],
      ],
    );
  });

  it(`${name}: only what the application took is acknowledged, oldest first`, (t) => {
    const { user, element, run } = open();
    if (!user.connection.features.acknowledgesTaken) {
      t.pass('this mapping acknowledges arrival');
      return;
    }
    element.taking = false;
    for (const text of ['1', '2', '3']) user.send(text);
    run(100);
    t.is(user.acknowledged, 0);
    const [one, two, three] = element.messages;
    element.connection.take(two!);
    run(100);
    t.is(user.acknowledged, 0);
    element.connection.take(one!);
    run(100);
    t.is(user.acknowledged, 2);
    element.connection.take(three!);
    element.connection.take(three!);
    run(100);
    t.is(user.acknowledged, 3);
    t.true(three?.taken);
  });

  it(`${name}: an acknowledgement follows what was written before the taking`, (t) => {
    const { user, element, run } = open();
    element.taking = false;
    element.onArrival = (message) => {
      element.send('answer', { inAnswerTo: message.sequence, lastAnswer: true });
      element.connection.take(message);
    };
    user.send('question');
    run(100);
    t.deepEqual(
      user.events.filter((event) => event === 'message' || event.startsWith('acknowledged')),
      ['message', 'acknowledged 1'],
    );
  });

  it(`${name}: control messages arrive, in order with each other`, (t) => {
    const { user, element, run } = open();
    user.connection.sendControl(Uint8Array.of(5, 0, 0, 4));
    user.connection.sendControl(Uint8Array.of(6, 0, 0, 4));
    element.connection.sendControl(Uint8Array.of(7, 0, 0, 4));
    run(50);
    t.deepEqual(
      element.controls.map((message) => message[0]),
      [5, 6],
    );
    t.deepEqual(
      user.controls.map((message) => message[0]),
      [7],
    );
    t.is(user.acknowledged, 0);
  });

  it(`${name}: a sender that is told no is told when there is room`, (t) => {
    const { user, run } = open();
    let sent = 0;
    while (sent < 1000 && user.send(new Uint8Array(10_000))) sent++;
    t.true(sent < 1000);
    run(2000);
    t.true(user.events.includes('room'));
    t.is(user.acknowledged, sent + 1);
  });

  it(`${name}: both directions end in order, without error, exactly once`, (t) => {
    const { user, element, run } = open();
    element.onArrival = (message) => message.type === 'end' && element.end();
    user.send('last');
    user.end();
    run(5000);
    t.deepEqual(element.texts, ['last', 'END']);
    t.deepEqual(user.texts, ['END']);
    for (const owner of [user, element]) {
      t.is(owner.closes, 1);
      t.is(owner.error, undefined);
      t.is(owner.events.at(-1), 'close');
    }
    t.is(user.acknowledged, 2);
    t.is(element.acknowledged, 1);
  });

  it(`${name}: one direction may end long before the other`, (t) => {
    const { user, element, run } = open();
    user.end();
    run(5000);
    element.send('still here');
    run(100);
    t.deepEqual(user.texts, ['still here']);
    t.is(user.closes + element.closes, 0);
  });

  for (const [code, expected] of [
    [abortCode.application, 'ERR_RSERPOOL_ABORTED'],
    [abortCode.handlerFailed, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
  ] as const) {
    it(`${name}: abort with code ${code} ends both sides`, (t) => {
      const { user, element, run } = open();
      element.connection.abort(code, 'the reason');
      t.is(element.closes, 0);
      run(2000);
      t.is(element.closes, 1);
      t.is(element.error, undefined);
      t.is(user.error?.code, expected);
      t.regex(user.error?.message ?? '', /the reason/);
    });
  }

  it(`${name}: an element that dies is a broken connection, after what it sent whole`, (t) => {
    const { user, element, run, killElement, silentDeath } = open();
    element.send('last words');
    run(50);
    killElement();
    run(silentDeath ?? 50);
    t.deepEqual(user.texts, ['last words']);
    const silent = silentDeath !== undefined;
    t.is(user.error?.code, silent ? 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT' : 'ERR_RSERPOOL_CONNECTION_BROKEN');
    t.is(user.closes, 1);
  });

  it(`${name}: an element that freezes is noticed within a second, and hands on nothing when it thaws`, (t) => {
    const { user, element, run, freezeElement, thawElement } = open();
    freezeElement();
    user.send('question');
    run(1100);
    t.is(user.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
    thawElement();
    run(20_000);
    t.deepEqual(element.texts, []);
    t.is(element.closes, 1);
  });

  it(`${name}: round-trip times are known, where the mapping measures them`, (t) => {
    const { user, run } = open();
    run(5000);
    const { features, rtt, rto } = user.connection;
    t.is(rtt !== undefined, features.rtt);
    t.is(rto !== undefined, features.rto);
    if (rtt !== undefined) t.true(rtt > 0 && rtt < 100);
  });

  it(`${name}: an element asks its user to go elsewhere`, (t) => {
    const { user, element, run } = open();
    element.connection.goElsewhere();
    run(50);
    t.true(user.events.includes('goElsewhere'));
    t.is(user.closes, 0);
  });

  it(`${name}: nobody is told anything from within a call, nor after the close`, (t) => {
    const { user, element, run } = open();
    const calls: ((connection: MappingConnection) => void)[] = [
      () => user.send('x'),
      (connection) => connection.sendControl(Uint8Array.of(5, 0, 0, 4)),
      (connection) => connection.expect(true),
      (connection) => connection.expect(false),
      (connection) => connection.goElsewhere(),
      (connection) => connection.abort(abortCode.application, 'bye'),
      (connection) => connection.abort(abortCode.application, 'again'),
      () => user.send('late'),
    ];
    for (const call of calls) {
      const before = user.events.length;
      call(user.connection);
      t.is(user.events.length, before);
    }
    run(20_000);
    t.is(user.closes, 1);
    t.is(user.events.at(-1), 'close');
    t.is(element.closes, 1);
  });
}
