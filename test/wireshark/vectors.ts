/** Wireshark reads every hand-made message as we mean it. */

import test from 'ava';
import { asapMessageType } from '../../lib/wire/asap.js';
import { enrpMessageType } from '../../lib/wire/enrp.js';
import { policyType } from '../../lib/wire/policy-parameter.js';
import { asapVectors } from '../vectors/asap.js';
import { enrpVectors } from '../vectors/enrp.js';
import { encode, type Vector } from '../vectors/vector.js';
import { type Dissection, dissect, verdictFields } from './tshark.js';
import { messageFields, privateParameters, spoken, understood, unknownParameters } from './wireshark-fields.js';

/**
 * A cause "Invalid Values" whose information is one byte: RFC 5354 section 3.12.4 wants the whole TLV. We read it from
 * others and never send it. That Wireshark finds fault with it shows that it would tell.
 */
const malformed = 'DEREGISTRATION_RESPONSE with two causes, the first one padded, the last one not counted';
/** Wireshark takes cause information apart, so that there is more in these than the message itself says. */
const withCauseInformation = new Set([
  malformed,
  'REGISTRATION_RESPONSE, rejected for its policy',
  'ERROR, unrecognized parameter',
]);

const vectors: readonly Vector[] = [...asapVectors, ...enrpVectors];
let dissections: readonly Dissection[] = [];

test.before(async () => {
  const passages = vectors.map(({ protocol, message }) => {
    return { protocol, bytes: encode(protocol, message), association: 0, toServer: true };
  });
  dissections = await dissect(passages, [...verdictFields, ...messageFields('asap'), ...messageFields('enrp')]);
});

test('the sample holds all fourteen ASAP messages, all ten ENRP messages and all nine policies', (t) => {
  const types = (protocol: string): number =>
    new Set(vectors.filter((vector) => vector.protocol === protocol).map(({ message }) => message.type)).size;
  t.is(types('asap'), 14);
  t.is(types('enrp'), 10);
  t.is(Object.keys(asapMessageType).length, 14);
  t.is(Object.keys(enrpMessageType).length, 10);
  const policies = vectors.flatMap(({ message }) =>
    'policy' in message && message.policy ? [message.policy.type] : [],
  );
  for (const name of Object.keys(policyType)) t.true(new Set<string>(policies).has(name), name);
  t.is(dissections.length, vectors.length);
});

for (const [i, { protocol, name, message }] of vectors.entries()) {
  const bytes = encode(protocol, message);

  if (name === malformed) {
    test(`Wireshark finds fault with ${name}`, (t) => {
      t.true((dissections[i]?.get('_ws.malformed') ?? []).length > 0);
    });
    continue;
  }

  test(`${protocol}: Wireshark is content with ${name}`, (t) => {
    const dissection = dissections[i] as Dissection;
    t.deepEqual(dissection.get('frame.protocols'), [`raw:ip:sctp:${protocol}`]);
    t.deepEqual(dissection.get('ip.checksum.status'), ['1']);
    t.deepEqual(dissection.get('sctp.checksum.status'), ['1']);
    t.deepEqual(dissection.get('_ws.malformed'), []);
    t.deepEqual(dissection.get('_ws.expert.message'), []);
  });

  if (withCauseInformation.has(name)) continue;
  test(`${protocol}: Wireshark reads what we mean by ${name}`, (t) => {
    const dissection = dissections[i] as Dissection;
    t.deepEqual(understood(protocol, dissection), spoken(protocol, message, bytes));
    t.deepEqual(unknownParameters(protocol, dissection), privateParameters(message));
  });
}
