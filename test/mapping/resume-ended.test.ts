import test from 'ava';
import { abortCode } from '../../lib/mapping/mapping.js';
import type { Owner } from './pair.js';
import { ResumeScene } from './resume-scene.js';

/** A session of which the user does not know that it has ended in order: the element's last word is lost. */
function endedUnheard(scene: ResumeScene): { user: Owner; element: Owner } {
  const user = scene.dial();
  const element = scene.accepted.at(-1) as Owner;
  scene.elementProcess.dispatch('input', () => element.end());
  scene.run(20);
  scene.userProcess.dispatch('input', () => {
    user.send('one');
    user.end();
  });
  scene.run(1.5);
  scene.sever('lost');
  return { user, element };
}

test('a user that does not know that its session has ended in order learns it from the element', (t) => {
  const scene = new ResumeScene();
  const { user, element } = endedUnheard(scene);
  t.deepEqual(element.texts, ['one', 'END']);
  t.is(user.acknowledged, 0);
  scene.run(200);
  t.is(user.acknowledged, 2);
  t.is(user.closes, 1);
  t.is(user.error, undefined);
  t.is(element.closes, 1);
  t.is(element.error, undefined);
  t.deepEqual(element.texts, ['one', 'END'], 'and nothing is executed again');
  scene.run(10_000);
  t.is(scene.elementProcess.pendingTimers, 0, 'it is not remembered for ever');
  t.is(scene.userProcess.streams.size + scene.elementProcess.streams.size, 0);
});

test('it learns it although that is lost again', (t) => {
  const scene = new ResumeScene();
  const { user } = endedUnheard(scene);
  for (let cut = 0; cut < 5; cut++) {
    scene.run(3.5);
    scene.sever('lost');
  }
  scene.run(500);
  t.is(user.acknowledged, 2);
  t.is(user.error, undefined);
});

test('an element remembers no more ends than it would keep sessions', (t) => {
  const scene = new ResumeScene({ element: { parkedSessions: 1 } });
  const [first, second] = [1, 2].map((byte) => {
    const user = scene.dial(new Uint8Array(16).fill(byte));
    const element = scene.accepted.at(-1) as Owner;
    scene.elementProcess.dispatch('input', () => element.end());
    return user;
  }) as [Owner, Owner];
  scene.run(20);
  scene.userProcess.dispatch('input', () => {
    for (const user of [first, second]) user.end();
  });
  scene.run(1.5);
  scene.sever('lost');
  scene.run(200);
  t.is(first.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.is(second.error, undefined);
});

for (const code of [abortCode.application, abortCode.failedOver]) {
  test(`an element hears from a user that leaves while its connection is broken, with code ${code}`, (t) => {
    const scene = new ResumeScene();
    const user = scene.dial();
    const [element] = scene.accepted as [Owner];
    user.send('one');
    scene.run(20);
    scene.sever('lost');
    scene.run(1.5);
    scene.userProcess.dispatch('input', () => user.connection.abort(code, 'not wanted'));
    scene.run(50);
    t.is(user.closes, 1);
    t.is(element.closes, 1, 'long before it would give its user up');
    const expected = code === abortCode.application ? 'ERR_RSERPOOL_ABORTED' : 'ERR_RSERPOOL_CONNECTION_BROKEN';
    t.is(element.error?.code, expected);
    t.is(scene.sessions.parkedSessions, 0);
    scene.run(10_000);
    t.is(scene.userProcess.pendingTimers, 0);
    t.is(scene.userProcess.streams.size + scene.elementProcess.streams.size, 0);
  });
}

test('a user that leaves tells an element that cannot be reached for no longer than it would have tried to come back', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  scene.run(20);
  scene.sever('lost');
  scene.run(1.5);
  scene.network.cut('10.0.0.1', '10.0.0.2');
  scene.userProcess.dispatch('input', () => user.connection.abort(abortCode.application, 'not wanted'));
  scene.run(3000);
  t.is(scene.userProcess.pendingTimers, 0);
  t.is(scene.userProcess.streams.size, 0);
});
