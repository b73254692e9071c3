import test from 'ava';
import { seededRandom } from '../../lib/random.js';
import { type CookieProtection, CookieSeal } from '../../lib/session/cookie-seal.js';

const session = new Uint8Array(16).fill(7);
const other = new Uint8Array(16).fill(8);
const cookie = Buffer.from('next ping: 17');

function seal(protection: CookieProtection, secrets: readonly string[] = ['secret'], poolHandle = 'pool'): CookieSeal {
  return new CookieSeal({ secrets, protection, poolHandle, random: seededRandom(1) });
}

for (const protection of ['signed', 'encrypted'] as const) {
  test(`a ${protection} cookie opens at another element of the pool, in its own session alone`, (t) => {
    const sealed = seal(protection).seal(cookie, session);
    t.deepEqual(seal(protection).open(sealed, session), { type: 'verified', cookie });
    t.is(seal(protection).open(sealed, other).type, 'refused');
    t.is(seal(protection, ['secret'], 'other pool').open(sealed, session).type, 'refused');
    t.is(seal(protection, ['other secret']).open(sealed, session).type, 'refused');
  });

  test(`a ${protection} cookie with any bit changed, or any bytes missing, is refused`, (t) => {
    const sealed = seal(protection).seal(cookie, session);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const forged = Buffer.from(sealed);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      t.is(seal(protection).open(forged, session).type, 'refused');
    }
    for (let length = 0; length < sealed.length; length++) {
      t.is(seal(protection).open(sealed.subarray(0, length), session).type, 'refused');
    }
  });

  test(`a ${protection} cookie survives the rotation of secrets`, (t) => {
    const before = seal(protection, ['old']).seal(cookie, session);
    const rotated = seal(protection, ['new', 'old']);
    t.is(rotated.open(before, session).type, 'verified');
    t.is(seal(protection, ['new']).open(rotated.seal(cookie, session), session).type, 'verified');
    t.is(seal(protection, ['new']).open(before, session).type, 'refused');
  });

  test(`an empty ${protection} cookie is a cookie`, (t) => {
    const empty = new Uint8Array(0);
    const opened = seal(protection).open(seal(protection).seal(empty, session), session);
    t.deepEqual(opened.type === 'verified' && opened.cookie.length, 0);
  });
}

test('an encrypted cookie cannot be read, and a signed one does not pass for it', (t) => {
  const sealed = Buffer.from(seal('encrypted').seal(cookie, session));
  t.false(sealed.includes(cookie));
  t.is(seal('encrypted').open(seal('signed').seal(cookie, session), session).type, 'refused');
});
