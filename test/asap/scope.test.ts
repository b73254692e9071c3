import test from 'ava';
import { OperationalScope, parseRegistrars } from '../../lib/asap/scope.js';

for (const [given, expected] of [
  ['10.0.0.1', [{ host: '10.0.0.1', port: 3863 }]],
  [
    'a.example:4000, b.example ,',
    [
      { host: 'a.example', port: 4000 },
      { host: 'b.example', port: 3863 },
    ],
  ],
  ['[::1]:4000', [{ host: '::1', port: 4000 }]],
  ['[::1]', [{ host: '::1', port: 3863 }]],
  ['fe80::1', [{ host: 'fe80::1', port: 3863 }]],
  [
    ['x', { host: 'y' }, { host: 'z', port: 5 }],
    [
      { host: 'x', port: 3863 },
      { host: 'y', port: 3863 },
      { host: 'z', port: 5 },
    ],
  ],
] as const) {
  test(`registrars: ${JSON.stringify(given)}`, (t) => {
    t.deepEqual<unknown, unknown>(parseRegistrars(given), expected);
  });
}

for (const [options, code] of [
  [{ registrars: '' }, 'ERR_INVALID_ARG_VALUE'],
  [{ registrars: [] }, 'ERR_INVALID_ARG_VALUE'],
  [{ registrars: 'a:b' }, 'ERR_SOCKET_BAD_PORT'],
  [{ registrars: 'a:0' }, 'ERR_SOCKET_BAD_PORT'],
  [{ registrars: [{ host: 'a', port: 65536 }] }, 'ERR_SOCKET_BAD_PORT'],
  [{ registrars: ':4000' }, 'ERR_INVALID_ARG_VALUE'],
  [{ registrars: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ registrars: [{ host: 5 }] }, 'ERR_INVALID_ARG_TYPE'],
  [{ timers: { requestTimeout: -1 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: { requestTimeout: '5' } }, 'ERR_INVALID_ARG_TYPE'],
  [{ timers: { maxRequestRetransmits: 1.5 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: { huntBackoff: 0 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: { maxRegistrationAttempts: 0 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ limits: { maxMessageSize: 3 } }, 'ERR_OUT_OF_RANGE'],
  [{ limits: null }, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`options ${JSON.stringify(options)} are refused with ${code}`, (t) => {
    t.throws(() => new OperationalScope(options as never), { code });
  });
}

test('a scope that was never used talks to nobody and closes', async (t) => {
  const scope = new OperationalScope();
  scope.purge('echo');
  scope.close();
  await t.throwsAsync(scope.resolve('echo'), { code: 'ERR_RSERPOOL_SESSION_CLOSED' });
});

for (const [options, code] of [
  [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
  [{ elementsWanted: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ fresh: 1 }, 'ERR_INVALID_ARG_TYPE'],
  [{ hunt: 'twice' }, 'ERR_INVALID_ARG_VALUE'],
  [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`resolve options ${JSON.stringify(options)} are refused with ${code}`, (t) => {
    const scope = new OperationalScope();
    t.throws(() => scope.resolve('echo', options as never), { code });
    scope.close();
  });
}

test('misuse of resolve throws as Node does', (t) => {
  const scope = new OperationalScope();
  t.throws(() => scope.resolve(5 as never), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: 'The "poolHandle" argument must be of type string. Received type number (5)',
  });
  t.throws(() => scope.resolve('echo', { timeout: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => scope.resolve('echo', { elementsWanted: 0 }), { code: 'ERR_OUT_OF_RANGE' });
});

test('an aborted signal gives the resolution up with its reason', async (t) => {
  const scope = new OperationalScope({ registrars: '127.0.0.1:1' });
  const gone = AbortSignal.abort();
  t.is(await scope.resolve('echo', { signal: gone }).catch((error: unknown) => error), gone.reason);
  const abort = new AbortController();
  const pending = scope.resolve('echo', { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(pending, { message: 'enough' });
  scope.close();
});

test('an environment variable that is set to nothing says nothing', (t) => {
  const before = process.env.RSERPOOL_REGISTRARS;
  try {
    for (const value of ['', ' ']) {
      process.env.RSERPOOL_REGISTRARS = value;
      t.is(new OperationalScope().registrars[0]?.host, '127.0.0.1');
    }
  } finally {
    if (before === undefined) delete process.env.RSERPOOL_REGISTRARS;
    else process.env.RSERPOOL_REGISTRARS = before;
  }
});
