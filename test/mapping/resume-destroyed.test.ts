import test from 'ava';
import { abortCode } from '../../lib/mapping/mapping.js';
import type { Owner } from './pair.js';
import { ResumeScene } from './resume-scene.js';

for (const when of ['while its user is away', 'in words that are lost with the byte stream'] as const) {
  test(`an application that destroys its session ${when} is heard when its user is back`, (t) => {
    const scene = new ResumeScene();
    const user = scene.dial();
    user.send('one');
    scene.run(20);
    const [element] = scene.accepted as [Owner];
    const destroy = (): void => element.connection.abort(abortCode.application, 'not wanted');
    const isAway = when === 'while its user is away';
    if (!isAway) scene.elementProcess.dispatch('input', destroy);
    scene.sever('lost');
    if (isAway) scene.elementProcess.dispatch('input', destroy);
    scene.run(200);
    t.is(user.error?.code, 'ERR_RSERPOOL_ABORTED');
    t.regex(user.error?.message ?? '', /destroyed/);
    t.is(user.closes + element.closes, 2);
    scene.run(10_000);
    t.is(scene.elementProcess.pendingTimers, 0, 'it is not remembered for ever');
  });
}

test('an element remembers no more sessions that were destroyed than it would keep', (t) => {
  const scene = new ResumeScene({ element: { parkedSessions: 2 } });
  const identifiers = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));
  const users = identifiers.map((identifier) => scene.dial(identifier));
  scene.sever('lost');
  scene.elementProcess.dispatch('input', () => {
    for (const { connection } of scene.accepted.slice(0, 3)) connection.abort(abortCode.application, 'not wanted');
  });
  scene.run(200);
  t.deepEqual(
    users.map(({ error }) => error?.code),
    ['ERR_RSERPOOL_CONNECTION_BROKEN', 'ERR_RSERPOOL_ABORTED', 'ERR_RSERPOOL_ABORTED'],
  );
});
