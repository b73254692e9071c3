/** One vector at least for each ENRP message. */

import type { EnrpMessage } from '../../lib/wire/messages.js';
import type { PoolElement, ServerInformation } from '../../lib/wire/parameters.js';
import { hex } from './hex.js';
import type { EnrpVector } from './vector.js';

function vector(name: string, text: string, message: EnrpMessage): EnrpVector {
  return { protocol: 'enrp', name, bytes: hex(text), message };
}

const ids = { senderId: 0x10000001, receiverId: 0x10000002 } as const;
const idsHex = '10000001 10000002';
const ipv4 = '00010008 c0000201';

const server: ServerInformation = {
  serverId: 0x10000001,
  transport: { type: 'sctp', port: 9901, use: 'dataOnly', addresses: ['192.0.2.1'] },
};
const serverHex = `000b0018 10000001 00040010 26ad0000 ${ipv4}`;
const tcpServer: ServerInformation = {
  serverId: 0x10000003,
  transport: { type: 'tcp', port: 9901, address: '192.0.2.1' },
};
const tcpServerHex = `000b0018 10000003 00050010 26ad0000 ${ipv4}`;

const element: PoolElement = {
  identifier: 0x12345678,
  homeServerId: 0x10000001,
  registrationLife: 600,
  userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
  policy: { type: 'roundRobin' },
  asapTransport: { type: 'tcp', port: 8, address: '192.0.2.1' },
};
const elementHex = `000a0038 12345678 10000001 00000258
  00050010 00070000 ${ipv4} 00080008 00000001 00050010 00080000 ${ipv4}`;

export const enrpVectors: readonly EnrpVector[] = [
  vector('PRESENCE, bare', `0100000c ${idsHex}`, { type: 'presence', ...ids, replyRequired: false }),
  vector('PRESENCE with only a checksum, its padding not counted', `01000012 ${idsHex} 000f0006 29a50000`, {
    type: 'presence',
    ...ids,
    replyRequired: false,
    peChecksum: 0x29a5,
  }),
  vector('PRESENCE with reply required, checksum and server', `0101002c ${idsHex} 000f0006 ffff0000 ${serverHex}`, {
    type: 'presence',
    ...ids,
    replyRequired: true,
    peChecksum: 0xffff,
    serverInformation: server,
  }),
  vector('HANDLE_TABLE_REQUEST', `0200000c ${idsHex}`, { type: 'handleTableRequest', ...ids, ownChildrenOnly: false }),
  vector('HANDLE_TABLE_REQUEST with W', `0201000c ${idsHex}`, {
    type: 'handleTableRequest',
    ...ids,
    ownChildrenOnly: true,
  }),
  vector('HANDLE_TABLE_RESPONSE, rejected', `0301000c ${idsHex}`, {
    type: 'handleTableResponse',
    ...ids,
    moreToSend: false,
    rejected: true,
    poolEntries: [],
  }),
  vector(
    'HANDLE_TABLE_RESPONSE with M and two pools',
    `030200c4 ${idsHex} 00090006 41420000 ${elementHex} ${elementHex} 00090008 41424344 ${elementHex}`,
    {
      type: 'handleTableResponse',
      ...ids,
      moreToSend: true,
      rejected: false,
      poolEntries: [
        { poolHandle: 'AB', poolElements: [element, element] },
        { poolHandle: 'ABCD', poolElements: [element] },
      ],
    },
  ),
  vector('HANDLE_UPDATE, ADD_PE', `04000050 ${idsHex} 00000000 00090008 41424344 ${elementHex}`, {
    type: 'handleUpdate',
    ...ids,
    takeoverSuggested: false,
    action: 'addPe',
    poolHandle: 'ABCD',
    poolElement: element,
  }),
  vector(
    'HANDLE_UPDATE, DEL_PE with takeover suggested',
    `04010050 ${idsHex} 00010000 00090008 41424344 ${elementHex}`,
    {
      type: 'handleUpdate',
      ...ids,
      takeoverSuggested: true,
      action: 'delPe',
      poolHandle: 'ABCD',
      poolElement: element,
    },
  ),
  vector('LIST_REQUEST', `0500000c ${idsHex}`, { type: 'listRequest', ...ids }),
  vector('LIST_RESPONSE with two servers', `0600003c ${idsHex} ${serverHex} ${tcpServerHex}`, {
    type: 'listResponse',
    ...ids,
    rejected: false,
    servers: [server, tcpServer],
  }),
  vector('LIST_RESPONSE, rejected', `0601000c ${idsHex}`, {
    type: 'listResponse',
    ...ids,
    rejected: true,
    servers: [],
  }),
  vector('INIT_TAKEOVER', `07000010 ${idsHex} 10000003`, { type: 'initTakeover', ...ids, targetId: 0x10000003 }),
  vector('INIT_TAKEOVER_ACK', `08000010 ${idsHex} 10000003`, { type: 'initTakeoverAck', ...ids, targetId: 0x10000003 }),
  vector('TAKEOVER_SERVER', `09000010 ${idsHex} 10000003`, { type: 'takeoverServer', ...ids, targetId: 0x10000003 }),
  vector('ERROR, lack of resources', `0a000014 ${idsHex} 000c0008 00060004`, {
    type: 'enrpError',
    ...ids,
    errors: [{ code: 6, information: hex('') }],
  }),
];
