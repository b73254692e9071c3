import test from 'ava';
import { type BusinessCard, encodeBusinessCard, receivedBusinessCard } from '../../lib/session/business-card.js';
import { decodeAsap } from '../../lib/wire/asap.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

const element = (identifier: number): PoolElement => ({
  identifier,
  homeServerId: 0,
  registrationLife: 300,
  userTransport: { type: 'tcp', address: '10.0.0.1', port: 7 },
  policy: { type: 'roundRobin' },
});

function throughTheWire(card: BusinessCard): BusinessCard {
  const decoded = decodeAsap(encodeBusinessCard(card));
  if (decoded.type !== 'message' || decoded.message.type !== 'businessCard') throw new Error(decoded.type);
  return receivedBusinessCard(decoded.message);
}

test('a card comes over the wire as it was, in its order', (t) => {
  const card = { poolHandle: 'pöol', elements: [element(3), element(1), element(2)] };
  t.like(throughTheWire(card), { poolHandle: 'pöol' });
  t.deepEqual(
    throughTheWire(card).elements.map(({ identifier, userTransport }) => [identifier, userTransport]),
    card.elements.map(({ identifier, userTransport }) => [identifier, userTransport]),
  );
});

test('of a card with more elements than anybody will try, the first 64 are kept', (t) => {
  const elements = Array.from({ length: 1000 }, (_, i) => element(i + 1));
  const kept = throughTheWire({ poolHandle: 'pool', elements }).elements;
  t.deepEqual(
    kept.map(({ identifier }) => identifier),
    Array.from({ length: 64 }, (_, i) => i + 1),
  );
});

test('a card without elements, or with more than a message holds, cannot be sent', (t) => {
  t.throws(() => encodeBusinessCard({ poolHandle: 'pool', elements: Array.from({ length: 5000 }, () => element(1)) }));
  t.throws(() => throughTheWire({ poolHandle: 'pool', elements: [] }));
});
