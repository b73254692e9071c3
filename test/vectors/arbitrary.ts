/** Arbitrary messages for properties: everything that the wire can carry, in small sizes. */

import fc, { type Arbitrary } from 'fast-check';
import { formatIpv4, formatIpv6 } from '../../lib/wire/address.js';
import type { AsapMessage, EnrpMessage } from '../../lib/wire/messages.js';
import type {
  ErrorCause,
  MappingOffer,
  MemberSelectionPolicy,
  PoolElement,
  PoolHandle,
  ServerInformation,
  Transport,
} from '../../lib/wire/parameters.js';
import { policyType } from '../../lib/wire/policy-parameter.js';
import { bytesToPoolHandle } from '../../lib/wire/pool-handle.js';

const u8 = fc.nat({ max: 0xff });
const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffffffff });
/** A plain Uint8Array, as the decoders give it. */
const bytes: Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 9 }).map((array) => new Uint8Array(array));

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((address) => formatIpv4(address, 0));
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((address) => formatIpv6(address, 0));
const address = fc.oneof(ipv4, ipv6, fc.constantFrom('::', '::1', '::ffff:192.0.2.1', '0.0.0.0'));

const sctp: Arbitrary<Transport> = fc.record({
  type: fc.constant('sctp' as const),
  port: u16,
  use: fc.constantFrom('dataOnly' as const, 'dataPlusControl' as const),
  addresses: fc.array(address, { minLength: 1, maxLength: 4 }),
});
const tcp: Arbitrary<Transport> = fc.record({ type: fc.constant('tcp' as const), port: u16, address });
const sctpOrTcp = fc.oneof(sctp, tcp);
const transport: Arbitrary<Transport> = fc.oneof(
  sctpOrTcp,
  fc.record({ type: fc.constantFrom('udp' as const, 'udpLite' as const), port: u16, address }),
  fc.record({ type: fc.constant('dccp' as const), port: u16, serviceCode: u32, address }),
  fc.record({ type: fc.constant('opaque' as const), data: bytes }),
);

const defined: ReadonlySet<number> = new Set(Object.values(policyType));
const policy: Arbitrary<MemberSelectionPolicy> = fc.oneof(
  fc.record({ type: fc.constantFrom('roundRobin' as const, 'random' as const) }),
  fc.record({ type: fc.constantFrom('weightedRoundRobin' as const, 'weightedRandom' as const), weight: u32 }),
  fc.record({ type: fc.constant('priority' as const), priority: u32 }),
  fc.record({ type: fc.constantFrom('leastUsed' as const, 'randomizedLeastUsed' as const), load: u32 }),
  fc.record({
    type: fc.constantFrom('leastUsedDegradation' as const, 'priorityLeastUsed' as const),
    load: u32,
    loadDegradation: u32,
  }),
  fc.record({ type: fc.constant('other' as const), policyType: u32.filter((type) => !defined.has(type)), data: bytes }),
);

const mapping: Arbitrary<MappingOffer> = fc.record({
  mapping: u8,
  version: u8,
  transports: fc.array(transport, { minLength: 1, maxLength: 3 }),
});

/** A whole TLV of a type that says "skip" (bits 10; with 11 there would be something to report), with its padding. */
const extension: Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 0x8000, max: 0xbfff }), bytes)
  .filter(([type]) => type !== 0x8253)
  .map(([type, value]) => {
    const tlv = new Uint8Array((4 + value.length + 3) & ~3);
    const view = new DataView(tlv.buffer);
    view.setUint16(0, type);
    view.setUint16(2, 4 + value.length);
    tlv.set(value, 4);
    return tlv;
  });

export const poolElement: Arbitrary<PoolElement> = fc.record(
  {
    identifier: u32,
    homeServerId: u32,
    registrationLife: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    userTransport: transport,
    mappings: fc.array(mapping, { minLength: 1, maxLength: 3 }),
    extensions: fc.array(extension, { minLength: 1, maxLength: 3 }),
    policy,
    asapTransport: sctpOrTcp,
  },
  { requiredKeys: ['identifier', 'homeServerId', 'registrationLife', 'userTransport'], noNullPrototype: true },
);

const server: Arbitrary<ServerInformation> = fc.record({ serverId: u32, transport: sctpOrTcp });
const poolHandle: Arbitrary<PoolHandle> = fc.uint8Array({ maxLength: 20 }).map(bytesToPoolHandle);
const cause: Arbitrary<ErrorCause> = fc.record({ code: u16, information: bytes });
const someCauses = fc.array(cause, { minLength: 1, maxLength: 3 });
const causes = fc.array(cause, { maxLength: 3 });
const poolElements = fc.array(poolElement, { maxLength: 3 });
const somePoolElements = fc.array(poolElement, { minLength: 1, maxLength: 3 });
const flag = fc.boolean();

/** Constant `type`, the rest as given; only `optional` may be absent. */
function message<Type extends string, Fields extends object>(
  type: Type,
  fields: { [Key in keyof Fields]: Arbitrary<Fields[Key]> },
): Arbitrary<{ readonly type: Type } & Fields> {
  return fc.record({ type: fc.constant(type), ...fields }, { noNullPrototype: true }) as Arbitrary<
    { readonly type: Type } & Fields
  >;
}

export const asapMessage: Arbitrary<AsapMessage> = fc.oneof(
  message('registration', { poolHandle, poolElement }),
  message('deregistration', { poolHandle, peIdentifier: u32 }),
  message('registrationResponse', { rejected: flag, poolHandle, peIdentifier: u32, errors: causes }),
  message('deregistrationResponse', { poolHandle, peIdentifier: u32, errors: causes }),
  message('handleResolution', { subscribe: flag, poolHandle }),
  message('handleResolution', { subscribe: flag, poolHandle, elementsWanted: u32 }),
  message('handleResolution', { subscribe: flag, poolHandle, elementsWanted: u32, hint: bytes }),
  message('handleResolutionResponse', { accepted: flag, poolHandle, poolElements, errors: causes }),
  message('handleResolutionResponse', { accepted: flag, poolHandle, policy, poolElements, errors: causes }),
  message('endpointKeepAlive', { home: flag, serverId: u32, poolHandle }),
  message('endpointKeepAlive', { home: flag, serverId: u32, poolHandle, peIdentifier: u32 }),
  message('endpointKeepAliveAck', { poolHandle, peIdentifier: u32 }),
  message('endpointUnreachable', { poolHandle, peIdentifier: u32 }),
  message('serverAnnounce', { serverId: u32, transports: fc.array(sctpOrTcp, { maxLength: 3 }) }),
  message('cookie', { cookie: bytes }),
  message('cookieEcho', { cookie: bytes }),
  message('businessCard', { poolHandle, poolElements: somePoolElements }),
  message('asapError', { errors: someCauses }),
);

const ids = { senderId: u32, receiverId: u32 };
const poolEntry = fc.record({ poolHandle, poolElements: somePoolElements });
const action = fc.constantFrom('addPe' as const, 'delPe' as const);

export const enrpMessage: Arbitrary<EnrpMessage> = fc.oneof(
  message('presence', { ...ids, replyRequired: flag }),
  message('presence', { ...ids, replyRequired: flag, peChecksum: u16 }),
  message('presence', { ...ids, replyRequired: flag, serverInformation: server }),
  message('presence', { ...ids, replyRequired: flag, peChecksum: u16, serverInformation: server }),
  message('handleTableRequest', { ...ids, ownChildrenOnly: flag }),
  message('handleTableResponse', {
    ...ids,
    moreToSend: flag,
    rejected: flag,
    poolEntries: fc.array(poolEntry, { maxLength: 3 }),
  }),
  message('handleUpdate', { ...ids, takeoverSuggested: flag, action, poolHandle, poolElement }),
  message('listRequest', ids),
  message('listResponse', { ...ids, rejected: flag, servers: fc.array(server, { maxLength: 3 }) }),
  message('initTakeover', { ...ids, targetId: u32 }),
  message('initTakeoverAck', { ...ids, targetId: u32 }),
  message('takeoverServer', { ...ids, targetId: u32 }),
  message('enrpError', { ...ids, errors: someCauses }),
);
