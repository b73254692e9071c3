/** One vector at least for each ASAP message, and for each parameter that a pool element can hold. */

import type { AsapMessage } from '../../lib/wire/messages.js';
import type { MemberSelectionPolicy, PoolElement, Transport } from '../../lib/wire/parameters.js';
import { hex } from './hex.js';
import type { AsapVector } from './vector.js';

function vector(name: string, text: string, message: AsapMessage): AsapVector {
  return { protocol: 'asap', name, bytes: hex(text), message };
}

/** "EchoPool" as a Pool Handle parameter. */
const echoPool = '0009000c 4563686f 506f6f6c';
/** "AB" and "ABC": one and two bytes of padding. */
const ab = '00090006 41420000';
const abc = '00090007 41424300';

const ipv4 = '00010008 c0000201';
const ipv6 = '00020014 20010db8 00000000 00000000 00000001';

const element: PoolElement = {
  identifier: 0x12345678,
  homeServerId: 0,
  registrationLife: 600,
  userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
};
const elementHex = '000a0020 12345678 00000000 00000258 00050010 00070000 00010008 c0000201';

/** A registration in pool "AB" whose element has only this user transport. */
function withTransport(name: string, text: string, userTransport: Transport): AsapVector {
  const size = hex(text).length;
  const u16 = (value: number): string => value.toString(16).padStart(4, '0');
  const header = `0100${u16(12 + 16 + size)} ${ab} 000a${u16(16 + size)} 12345678 00000000 00000258`;
  return vector(name, `${header} ${text}`, {
    type: 'registration',
    poolHandle: 'AB',
    poolElement: { ...element, userTransport },
  });
}

/** A resolution response for pool "AB" with only an overall policy. */
function withPolicy(name: string, text: string, policy: MemberSelectionPolicy): AsapVector {
  const size = (12 + hex(text).length).toString(16).padStart(4, '0');
  return vector(name, `0600${size} ${ab} ${text}`, {
    type: 'handleResolutionResponse',
    accepted: false,
    poolHandle: 'AB',
    policy,
    poolElements: [],
    errors: [],
  });
}

const messages: readonly AsapVector[] = [
  vector('REGISTRATION', `01000030 ${echoPool} ${elementHex}`, {
    type: 'registration',
    poolHandle: 'EchoPool',
    poolElement: element,
  }),
  vector('DEREGISTRATION', `02000018 ${echoPool} 000e0008 ffffffff`, {
    type: 'deregistration',
    poolHandle: 'EchoPool',
    peIdentifier: 0xffffffff,
  }),
  vector('REGISTRATION_RESPONSE, granted', `03000018 ${echoPool} 000e0008 12345678`, {
    type: 'registrationResponse',
    rejected: false,
    poolHandle: 'EchoPool',
    peIdentifier: 0x12345678,
    errors: [],
  }),
  vector(
    'REGISTRATION_RESPONSE, rejected for its policy',
    `03010028 ${echoPool} 000e0008 12345678 000c0010 0005000c 00080008 00000001`,
    {
      type: 'registrationResponse',
      rejected: true,
      poolHandle: 'EchoPool',
      peIdentifier: 0x12345678,
      errors: [{ code: 5, information: hex('00080008 00000001') }],
    },
  ),
  vector(
    'DEREGISTRATION_RESPONSE with two causes, the first one padded, the last one not counted',
    `0400002a ${echoPool} 000e0008 00000001 000c0012 00030005 ff000000 f0020006 abcd0000`,
    {
      type: 'deregistrationResponse',
      poolHandle: 'EchoPool',
      peIdentifier: 1,
      errors: [
        { code: 3, information: hex('ff') },
        { code: 0xf002, information: hex('abcd') },
      ],
    },
  ),
  vector('HANDLE_RESOLUTION', `05000010 ${echoPool}`, {
    type: 'handleResolution',
    subscribe: false,
    poolHandle: 'EchoPool',
  }),
  vector('HANDLE_RESOLUTION with S, its last padding not counted', `0501000b ${abc}`, {
    type: 'handleResolution',
    subscribe: true,
    poolHandle: 'ABC',
  }),
  vector('HANDLE_RESOLUTION with a Selection Hint', `0500001a ${abc} 803f0008 00000002 82540006 65750000`, {
    type: 'handleResolution',
    subscribe: false,
    poolHandle: 'ABC',
    elementsWanted: 2,
    hint: Uint8Array.of(0x65, 0x75),
  }),
  vector('HANDLE_RESOLUTION with the option 0x803f', `05000014 ${abc} 803f0008 ffffffff`, {
    type: 'handleResolution',
    subscribe: false,
    poolHandle: 'ABC',
    elementsWanted: 0xffffffff,
  }),
  vector(
    'HANDLE_RESOLUTION_RESPONSE with A, a policy and two elements',
    `06010058 ${echoPool} 00080008 00000003 ${elementHex} ${elementHex}`,
    {
      type: 'handleResolutionResponse',
      accepted: true,
      poolHandle: 'EchoPool',
      policy: { type: 'random' },
      poolElements: [element, element],
      errors: [],
    },
  ),
  vector('HANDLE_RESOLUTION_RESPONSE, unknown pool handle', `06000018 ${echoPool} 000c0008 00090004`, {
    type: 'handleResolutionResponse',
    accepted: false,
    poolHandle: 'EchoPool',
    poolElements: [],
    errors: [{ code: 9, information: hex('') }],
  }),
  vector('ENDPOINT_KEEP_ALIVE with H', `0701000f 0a0b0c0d ${abc}`, {
    type: 'endpointKeepAlive',
    home: true,
    serverId: 0x0a0b0c0d,
    poolHandle: 'ABC',
  }),
  vector('ENDPOINT_KEEP_ALIVE with a PE Identifier', `07000018 0a0b0c0d ${abc} 000e0008 12345678`, {
    type: 'endpointKeepAlive',
    home: false,
    serverId: 0x0a0b0c0d,
    poolHandle: 'ABC',
    peIdentifier: 0x12345678,
  }),
  vector('ENDPOINT_KEEP_ALIVE_ACK', `08000014 ${abc} 000e0008 12345678`, {
    type: 'endpointKeepAliveAck',
    poolHandle: 'ABC',
    peIdentifier: 0x12345678,
  }),
  vector('ENDPOINT_UNREACHABLE', `09000014 ${abc} 000e0008 12345678`, {
    type: 'endpointUnreachable',
    poolHandle: 'ABC',
    peIdentifier: 0x12345678,
  }),
  vector('SERVER_ANNOUNCE without transport', '0a000008 10000001', {
    type: 'serverAnnounce',
    serverId: 0x10000001,
    transports: [],
  }),
  vector(
    'SERVER_ANNOUNCE with SCTP and TCP',
    `0a00003c 10000001 00040024 0f170001 ${ipv4} ${ipv6} 00050010 0f170000 ${ipv4}`,
    {
      type: 'serverAnnounce',
      serverId: 0x10000001,
      transports: [
        { type: 'sctp', port: 3863, use: 'dataPlusControl', addresses: ['192.0.2.1', '2001:db8::1'] },
        { type: 'tcp', port: 3863, address: '192.0.2.1' },
      ],
    },
  ),
  vector('COOKIE of one byte', '0b000009 000d0005 ff000000', { type: 'cookie', cookie: hex('ff') }),
  vector('COOKIE of none', '0b000008 000d0004', { type: 'cookie', cookie: hex('') }),
  vector('COOKIE_ECHO of four bytes', '0c00000c 000d0008 00010203', { type: 'cookieEcho', cookie: hex('00010203') }),
  vector('BUSINESS_CARD', `0d000050 ${echoPool} ${elementHex} ${elementHex}`, {
    type: 'businessCard',
    poolHandle: 'EchoPool',
    poolElements: [element, element],
  }),
  vector('ERROR, unrecognized parameter', '0e000014 000c0010 0001000c 7fff0008 00000000', {
    type: 'asapError',
    errors: [{ code: 1, information: hex('7fff0008 00000000') }],
  }),
];

const transports: readonly AsapVector[] = [
  withTransport('SCTP, data only, one IPv6 address', `0004001c 1e5b0000 ${ipv6}`, {
    type: 'sctp',
    port: 7771,
    use: 'dataOnly',
    addresses: ['2001:db8::1'],
  }),
  withTransport('SCTP, data plus control, two addresses', `00040024 1e5b0001 ${ipv6} ${ipv4}`, {
    type: 'sctp',
    port: 7771,
    use: 'dataPlusControl',
    addresses: ['2001:db8::1', '192.0.2.1'],
  }),
  withTransport('TCP', `0005001c ffff0000 ${ipv6}`, { type: 'tcp', port: 65535, address: '2001:db8::1' }),
  withTransport('UDP', `00060010 00350000 ${ipv4}`, { type: 'udp', port: 53, address: '192.0.2.1' }),
  withTransport('UDP-Lite', `00070010 00350000 ${ipv4}`, { type: 'udpLite', port: 53, address: '192.0.2.1' }),
  withTransport('DCCP', `00030014 13890000 52545020 ${ipv4}`, {
    type: 'dccp',
    port: 5001,
    serviceCode: 0x52545020,
    address: '192.0.2.1',
  }),
  withTransport('Opaque', '00100008 deadbeef', { type: 'opaque', data: hex('deadbeef') }),
  vector(
    'Opaque of one byte: no length counts the padding',
    `0100 0021 ${ab} 000a0015 12345678 00000000 00000258 00100005 de000000`,
    {
      type: 'registration',
      poolHandle: 'AB',
      poolElement: { ...element, userTransport: { type: 'opaque', data: hex('de') } },
    },
  ),
];

const policies: readonly AsapVector[] = [
  withPolicy('round robin', '00080008 00000001', { type: 'roundRobin' }),
  withPolicy('weighted round robin', '0008000c 00000002 00000003', { type: 'weightedRoundRobin', weight: 3 }),
  withPolicy('random', '00080008 00000003', { type: 'random' }),
  withPolicy('weighted random', '0008000c 00000004 ffffffff', { type: 'weightedRandom', weight: 0xffffffff }),
  withPolicy('priority', '0008000c 00000005 80000000', { type: 'priority', priority: 0x80000000 }),
  withPolicy('least used', '0008000c 40000001 40000000', { type: 'leastUsed', load: 0x40000000 }),
  withPolicy('least used with degradation', '00080010 40000002 00000001 00000002', {
    type: 'leastUsedDegradation',
    load: 1,
    loadDegradation: 2,
  }),
  withPolicy('priority least used', '00080010 40000003 00000001 00000002', {
    type: 'priorityLeastUsed',
    load: 1,
    loadDegradation: 2,
  }),
  withPolicy('randomized least used', '0008000c 40000004 ffffffff', { type: 'randomizedLeastUsed', load: 0xffffffff }),
  withPolicy('a policy of its own', '00080010 b0001001 00000001 00000002', {
    type: 'other',
    policyType: 0xb0001001,
    data: hex('00000001 00000002'),
  }),
];

const wholeElement: PoolElement = {
  identifier: 0x12345678,
  homeServerId: 0x0a0b0c0d,
  registrationLife: -1,
  userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
  mappings: [
    { mapping: 2, version: 1, transports: [{ type: 'tcp', port: 7, address: '192.0.2.1' }] },
    { mapping: 0xff, version: 0, transports: [{ type: 'opaque', data: hex('aa') }] },
  ],
  extensions: [hex('8001 0005 ff000000')],
  policy: { type: 'roundRobin' },
  asapTransport: { type: 'sctp', port: 3863, use: 'dataOnly', addresses: ['192.0.2.1'] },
};

export const asapVectors: readonly AsapVector[] = [
  ...messages,
  ...transports,
  ...policies,
  vector(
    'pool element with mappings, an extension, a policy and an ASAP transport',
    `01000070 ${abc} 000a0064 12345678 0a0b0c0d ffffffff
     00050010 00070000 ${ipv4}
     82530024 02010014 00050010 00070000 ${ipv4} ff00000c 00100005 aa000000
     80010005 ff000000
     00080008 00000001
     00040010 0f170000 ${ipv4}`,
    { type: 'registration', poolHandle: 'ABC', poolElement: wholeElement },
  ),
];
