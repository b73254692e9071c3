import test from 'ava';
import { asapMessageType } from '../../lib/wire/asap.js';
import { enrpMessageType } from '../../lib/wire/enrp.js';
import { asapVectors } from '../vectors/asap.js';
import { enrpVectors } from '../vectors/enrp.js';
import { toHex } from '../vectors/hex.js';
import { decode, encode, type Vector } from '../vectors/vector.js';

const vectors: readonly Vector[] = [...asapVectors, ...enrpVectors];

for (const { protocol, name, bytes, message } of vectors) {
  test(`${protocol}: ${name}: bytes and data mean each other`, (t) => {
    t.deepEqual(decode(protocol, bytes), { type: 'message', message, report: [] });
    t.is(toHex(encode(protocol, message)), toHex(bytes));
  });

  test(`${protocol}: ${name}: every truncation is a protocol error, up to where only padding is missing`, (t) => {
    const messageLength = new DataView(bytes.buffer).getUint16(2);
    for (let length = 0; length < messageLength; length++) {
      const decoded = decode(protocol, bytes.subarray(0, length));
      t.is(decoded.type, 'protocolError', `${length} bytes`);
    }
    for (let length = messageLength; length < bytes.length; length++) {
      t.deepEqual(decode(protocol, bytes.subarray(0, length)), { type: 'message', message, report: [] });
    }
  });

  test(`${protocol}: ${name}: a Message Length that counts the final padding is read too`, (t) => {
    const counting = bytes.slice();
    new DataView(counting.buffer).setUint16(2, bytes.length);
    t.deepEqual(decode(protocol, counting), { type: 'message', message, report: [] });
  });

  test(`${protocol}: ${name}: what was decoded keeps no hold on the bytes`, (t) => {
    const within = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(3, 0xff)]);
    const decoded = decode(protocol, within.subarray(3, 3 + bytes.length));
    within.fill(0xee);
    t.deepEqual(decoded, { type: 'message', message, report: [] });
  });
}

test('there is a vector for each of the fourteen ASAP and the ten ENRP messages', (t) => {
  const types = (list: readonly Vector[]): string[] => [...new Set(list.map((one) => one.message.type))].sort();
  t.deepEqual(types(asapVectors), Object.keys(asapMessageType).sort());
  t.deepEqual(types(enrpVectors), Object.keys(enrpMessageType).sort());
  t.is(types(vectors).length, 24);
});

test('the flags that no RFC names are ignored', (t) => {
  for (const { protocol, bytes, message } of vectors) {
    const flagged = bytes.slice();
    const named = message.type === 'handleTableResponse' ? 0x03 : 0x01;
    flagged[1] = (flagged[1] ?? 0) | (0xff & ~named);
    t.deepEqual(decode(protocol, flagged), { type: 'message', message, report: [] });
  }
});
