/** Wireshark's opinion of ASAP and ENRP messages, by way of its command tshark. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Protocol } from '../vectors/vector.js';
import { pcap } from './pcap.js';
import { type SctpEnd, SctpSender } from './sctp-packet.js';

/** A message and the association that it is to travel in; associations count from 0. */
export interface Passage {
  readonly protocol: Protocol;
  readonly bytes: Uint8Array;
  readonly association: number;
  readonly toServer: boolean;
}

/** Values by name of Wireshark's field ('asap.message_type'), in the order of the message; none: an empty list. */
export type Dissection = ReadonlyMap<string, readonly string[]>;

/** What tells whether Wireshark is content with a packet. */
export const verdictFields: readonly string[] = [
  'frame.protocols',
  'ip.checksum.status',
  'sctp.checksum.status',
  '_ws.malformed',
  '_ws.expert.message',
];

const payloadProtocol = { asap: 11, enrp: 12 } as const;
const serverPort = { asap: 3863, enrp: 9901 } as const;
const firstClientPort = 40_000;
const mostOutput = 256 * 1024 * 1024;

/** Lets tshark dissect each message as an SCTP packet of its own; gives the wanted fields of each, in order. */
export async function dissect(passages: readonly Passage[], fields: readonly string[]): Promise<Dissection[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rserpool-wireshark-'));
  try {
    const file = join(folder, 'messages.pcap');
    await writeFile(file, pcap(packets(passages)));
    // No name resolution, all checksums checked, all values of a field, tabs between fields.
    const preferences = ['-n', '-o', 'ip.check_checksum:TRUE', '-o', 'sctp.checksum:CRC 32c'];
    const format = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,'];
    const wanted = fields.flatMap((field) => ['-e', field]);
    const { stdout } = await promisify(execFile)('tshark', ['-r', file, ...preferences, ...format, ...wanted], {
      maxBuffer: mostOutput,
    });
    const lines = stdout.split('\n').slice(0, -1);
    return lines.map((line) => readLine(line, fields));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readLine(line: string, fields: readonly string[]): Dissection {
  const values = line.split('\t');
  return new Map(fields.map((field, i) => [field, values[i] ? values[i].split(',') : []]));
}

function packets(passages: readonly Passage[]): Uint8Array[] {
  const senders = new Map<string, SctpSender>();
  return passages.map(({ protocol, bytes, association, toServer }) => {
    const key = `${protocol} ${association} ${toServer}`;
    const sender = senders.get(key) ?? newSender(protocol, association, toServer);
    senders.set(key, sender);
    return sender.packet(payloadProtocol[protocol], bytes);
  });
}

/** Addresses are those set aside for documentation; each association has ports and verification tags of its own. */
function newSender(protocol: Protocol, association: number, toServer: boolean): SctpSender {
  const server: SctpEnd = {
    address: [192, 0, 2, 1],
    port: serverPort[protocol],
    verificationTag: 0x53000001 + association,
  };
  const client: SctpEnd = {
    address: [192, 0, 2, 2],
    port: firstClientPort + association,
    verificationTag: 0x43000001 + association,
  };
  return toServer ? new SctpSender(client, server) : new SctpSender(server, client);
}
