import test from 'ava';
import { RserpoolError } from '../../lib/errors.js';
import { encodeAsap } from '../../lib/wire/asap.js';
import { encodeEnrp } from '../../lib/wire/enrp.js';
import type { AsapMessage } from '../../lib/wire/messages.js';
import {
  causeName,
  errorCause,
  inconsistentPoolPolicy,
  inconsistentTransportType,
} from '../../lib/wire/operation-error.js';
import type { MemberSelectionPolicy, PoolElement, Transport } from '../../lib/wire/parameters.js';
import { poolElementSize } from '../../lib/wire/pool-element.js';
import { hex, toHex } from '../vectors/hex.js';

const tcp: Transport = { type: 'tcp', port: 7, address: '192.0.2.1' };
const udp: Transport = { type: 'udp', port: 7, address: '192.0.2.1' };
const element: PoolElement = { identifier: 1, homeServerId: 0, registrationLife: 600, userTransport: tcp };
const ids = { senderId: 1, receiverId: 2 } as const;

const registration = (changes: Partial<PoolElement>): AsapMessage => ({
  type: 'registration',
  poolHandle: 'AB',
  poolElement: { ...element, ...changes },
});
const withTransport = (changes: object): AsapMessage =>
  registration({ userTransport: { ...tcp, ...changes } as Transport });
const withPolicy = (policy: MemberSelectionPolicy): AsapMessage => registration({ policy });

for (const [name, message, expected] of [
  ['a PE identifier of 33 bits', registration({ identifier: 2 ** 32 }), /PE identifier must be a whole number/],
  ['a negative PE identifier', registration({ identifier: -1 }), /PE identifier/],
  ['a registration life of 32 bits unsigned', registration({ registrationLife: 2 ** 31 }), /registration life/],
  ['a registration life with a fraction', registration({ registrationLife: 0.5 }), /registration life/],
  ['port 65536', withTransport({ port: 65536 }), /port must be a whole number from 0 to 65535, not 65536/],
  ['port NaN', withTransport({ port: Number.NaN }), /port/],
  ['a host name for an address', withTransport({ address: 'localhost' }), /not an IP address: 'localhost'/],
  ['SCTP without an address', withTransport({ type: 'sctp', use: 'dataOnly', addresses: [] }), /needs an address/],
  ['an ASAP transport over UDP', registration({ asapTransport: udp }), /only an SCTP or TCP transport/],
  ['a server over UDP', { type: 'serverAnnounce', serverId: 1, transports: [udp] }, /only an SCTP or TCP transport/],
  ['a weight of 33 bits', withPolicy({ type: 'weightedRandom', weight: 2 ** 32 }), /weight/],
  ['a policy of RFC 5356 as another', withPolicy({ type: 'other', policyType: 1, data: hex('') }), /defined by RFC/],
  ['a policy type of 33 bits', withPolicy({ type: 'other', policyType: 2 ** 32, data: hex('') }), /policy type/],
  ['no mapping in a list of mappings', registration({ mappings: [] }), /needs an entry/],
  [
    'a mapping without transport',
    registration({ mappings: [{ mapping: 2, version: 1, transports: [] }] }),
    /transport/,
  ],
  ['a mapping above 255', registration({ mappings: [{ mapping: 256, version: 1, transports: [tcp] }] }), /mapping/],
  ['an extension that is too short', registration({ extensions: [hex('8000')] }), /one whole parameter/],
  ['an extension without its padding', registration({ extensions: [hex('80000005 00')] }), /one whole parameter/],
  ['an extension that others would not skip', registration({ extensions: [hex('40000004')] }), /cannot be an ext/],
  ['a Mapping as an extension', registration({ extensions: [hex('82530004')] }), /0x8253 cannot be an ext/],
  [
    'a pool handle with characters above 255',
    { type: 'handleResolution', subscribe: false, poolHandle: '池' },
    /bytes/,
  ],
  ['an error without a cause', { type: 'asapError', errors: [] }, /needs a cause/],
  ['a cause code above 65535', { type: 'asapError', errors: [errorCause(65536)] }, /cause code/],
  ['a business card without element', { type: 'businessCard', poolHandle: 'AB', poolElements: [] }, /pool element/],
] as const satisfies readonly (readonly [string, AsapMessage, RegExp])[]) {
  test(`${name} is a RangeError`, (t) => {
    t.throws(() => encodeAsap(message), { instanceOf: RangeError, message: expected });
  });
}

test('a pool entry without element is a RangeError', (t) => {
  const poolEntries = [{ poolHandle: 'AB', poolElements: [] }];
  const message = { type: 'handleTableResponse', ...ids, moreToSend: false, rejected: false, poolEntries } as const;
  t.throws(() => encodeEnrp(message), { instanceOf: RangeError, message: /pool entry needs/ });
});

test('a sender identifier of 33 bits and a checksum of 17 are RangeErrors', (t) => {
  const presence = { type: 'presence', ...ids, replyRequired: false } as const;
  t.throws(() => encodeEnrp({ ...presence, senderId: 2 ** 32 }), { instanceOf: RangeError });
  t.throws(() => encodeEnrp({ ...presence, peChecksum: 0x10000 }), { instanceOf: RangeError });
});

test('a message of 65,535 bytes goes out, padded; one byte more is too large', (t) => {
  const largest = encodeAsap({ type: 'cookie', cookie: new Uint8Array(65_527) });
  t.is(largest.length, 65_536);
  t.is(toHex(largest.subarray(0, 8)), '0b00ffff000dfffb');
  const error = t.throws(() => encodeAsap({ type: 'cookie', cookie: new Uint8Array(65_528) }), {
    instanceOf: RserpoolError,
  });
  t.is(error?.code, 'ERR_RSERPOOL_MESSAGE_TOO_LARGE');
  const poolElements = Array.from({ length: 3000 }, () => element);
  t.throws(() => encodeAsap({ type: 'businessCard', poolHandle: 'AB', poolElements }), {
    code: 'ERR_RSERPOOL_MESSAGE_TOO_LARGE',
  });
});

test('a mistake leaves nothing behind in the next message', (t) => {
  t.throws(() => encodeAsap(withTransport({ address: 'x' })));
  t.is(toHex(encodeAsap({ type: 'cookie', cookie: hex('01') })), '0b000009000d000501000000');
});

test('the size of a pool element is what it adds to a message', (t) => {
  const card = (count: number): number =>
    encodeAsap({ type: 'businessCard', poolHandle: 'ABC', poolElements: Array.from({ length: count }, () => element) })
      .length;
  t.is(card(3) - card(2), poolElementSize(element));
  t.is(poolElementSize({ ...element, userTransport: { type: 'opaque', data: hex('01') } }), 24);
});

test('causes that tell what the pool wants carry it as a whole parameter', (t) => {
  t.deepEqual(inconsistentPoolPolicy({ type: 'roundRobin' }), { code: 5, information: hex('00080008 00000001') });
  t.deepEqual(inconsistentTransportType(tcp), { code: 7, information: hex('00050010 00070000 00010008 c0000201') });
  t.deepEqual(errorCause(9), { code: 9, information: hex('') });
});

test('a cause is named for people, or numbered', (t) => {
  t.is(causeName(9), 'Unknown Pool Handle');
  t.is(causeName(0xf002), 'cause 0xf002');
});
