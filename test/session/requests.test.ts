import test from 'ava';
import { systemClock } from '../../lib/clock.js';
import { type Message, RetainedMessage } from '../../lib/session/message.js';
import { Requests } from '../../lib/session/requests.js';

/** An answer to the message with this sequence. */
const answerTo = (inAnswerTo: number): Message =>
  ({ inAnswerTo, lastAnswer: true, acknowledge() {} }) as unknown as Message;

test('answers to requests that were given up are known, but not for ever: elements need not answer at all', (t) => {
  const requests = new Requests(
    systemClock,
    'pool',
    () => {},
    () => {},
  );
  const giveUp = (sequence: number): void => {
    const message = new RetainedMessage('message', sequence, new Uint8Array(0), {}, 0, false, undefined);
    requests.add(message, undefined, () => {});
    requests.abandon(message, new Error('no longer wanted'));
  };
  for (let sequence = 1; sequence <= 10_001; sequence++) giveUp(sequence);
  t.is(requests.size, 0);
  t.false(requests.take(answerTo(1), undefined), 'the oldest');
  t.true(requests.take(answerTo(2), undefined));
  t.true(requests.take(answerTo(10_001), undefined));
  t.false(requests.take(answerTo(10_001), undefined), 'its last answer has come');
});
