/** Chunks as they should be, in hexadecimal, for packets built by packets.ts. */

export interface ValidVector {
  readonly name: string;
  readonly chunks: string;
  /** Taken only with the option `extensions: 'check'`. */
  readonly extension?: true;
}

const initFields = '00000001 0000ffff 000a 000a 00000007';
const ackFields = initFields;
const cookie = '0007 0008 c0c0c0c0';

export const validVectors: readonly ValidVector[] = [
  { name: 'DATA of one byte', chunks: '00030011 00000007 0000 0000 0000000b 61000000' },
  { name: 'DATA of four bytes, unordered, immediate', chunks: '000f0014 00000007 0001 0002 0000000b 61626364' },
  {
    name: 'two DATA',
    chunks: '00020014 00000007 00000000 0000000b 61626364 00010013 00000008 00000000 0000000b 61626300',
  },
  { name: 'INIT without parameters', chunks: `01000014 ${initFields}` },
  {
    name: 'INIT with all parameters',
    chunks: `0100004e ${initFields} 0005 0008 0a4d0102 0006 0014 fd770001000000000000000000000001
      0009 0008 00000064 000c 0008 0005 0006 8000 0004 c000 0004 8008 0006 c000 0000`,
  },
  { name: 'INIT with the last padding counted', chunks: `0100001c ${initFields} 000c 0006 0005 0000` },
  { name: 'INIT with the last padding not counted', chunks: `0100001a ${initFields} 000c 0006 0005 0000` },
  {
    name: 'INIT with unknown parameters of all high bits',
    chunks: `01000024 ${initFields} 3fff0004 7fff0004 bfff0004 ffff0004`,
  },
  {
    name: 'INIT with the announcements of AUTH',
    chunks: `0100002a ${initFields} 8002 0008 01020304 8003 0005 c1000000 8004 0006 0003 0000`,
  },
  { name: 'INIT ACK', chunks: `0200001c ${ackFields} ${cookie}` },
  {
    name: 'INIT ACK with an unrecognized parameter and addresses',
    chunks: `02000040 ${ackFields} 0005 0008 0a4d0102 0005 0008 0a4d0103 ${cookie} 0008 000c c123 0007 616263 00 c006 0008 00000001`,
  },
  { name: 'SACK', chunks: '03000010 00000006 00010000 0000 0000' },
  {
    name: 'SACK with blocks and duplicates',
    chunks: '03000020 0000000c 00001234 0002 0002 0002 0003 0005 0005 00000007 00000008',
  },
  { name: 'HEARTBEAT', chunks: '0400000c 0001 0008 01020304' },
  { name: 'HEARTBEAT of odd length', chunks: '04000009 0001 0005 01 000000' },
  { name: 'HEARTBEAT with its padding counted', chunks: '0400000c 0001 0005 01 000000' },
  { name: 'HEARTBEAT ACK', chunks: '0500000c 0001 0008 01020304' },
  { name: 'ABORT without a cause', chunks: '06000004' },
  { name: 'ABORT, reflected, with reasons', chunks: '06010014 000c 0007 627965 00 000d 0006 6869 0000' },
  { name: 'SHUTDOWN', chunks: '07000008 00000007' },
  { name: 'SHUTDOWN ACK', chunks: '08000004' },
  { name: 'ERROR: Invalid Stream Identifier', chunks: '0900000c 0001 0008 0063 0000' },
  { name: 'ERROR: Missing Mandatory Parameter', chunks: '09000010 0002 000a 00000001 0007 0000' },
  { name: 'ERROR: Stale Cookie', chunks: '0900000c 0003 0008 00000001' },
  { name: 'ERROR: Out of Resource', chunks: '09000008 0004 0004' },
  { name: 'ERROR: Unresolvable Address', chunks: '09000010 0005 000c 000b 0006 6100 0000' },
  { name: 'ERROR: Unrecognized Chunk Type', chunks: '0900000e 0006 000a ff000006 6162 0000' },
  { name: 'ERROR: Unrecognized Chunk Type with its padding', chunks: '09000010 0006 000c ff000006 6162 0000' },
  { name: 'ERROR: Invalid Mandatory Parameter', chunks: '09000008 0007 0004' },
  { name: 'ERROR: Unrecognized Parameters', chunks: '09000010 0008 000c c123 0004 c124 0004' },
  { name: 'ERROR: No User Data', chunks: '0900000c 0009 0008 00000007' },
  { name: 'ERROR: Cookie Received While Shutting Down', chunks: '09000008 000a 0004' },
  { name: 'ERROR: Restart with New Addresses', chunks: '09000010 000b 000c 0005 0008 0a4d0102' },
  { name: 'ERROR: an unknown cause after a known one', chunks: '0900000d 000a 0004 00a0 0005 61 000000' },
  { name: 'COOKIE ECHO', chunks: '0a000008 c0c0c0c0' },
  { name: 'COOKIE ECHO before DATA', chunks: '0a000007 c0c0c000 00030011 00000007 00000000 0000000b 61000000' },
  { name: 'COOKIE ACK before SACK', chunks: '0b000004 03000010 00000006 00010000 0000 0000' },
  { name: 'ECNE and CWR', chunks: '0c000008 00000007 0d000008 00000007' },
  { name: 'SHUTDOWN COMPLETE', chunks: '0e000004' },
  { name: 'SHUTDOWN COMPLETE, reflected', chunks: '0e010004' },
  { name: 'unknown chunk 01, to be reported', chunks: '7e000005 61000000' },
  { name: 'unknown chunk 10 before SACK', chunks: 'be000004 03000010 00000006 00010000 0000 0000' },
  { name: 'unknown chunk 11 after DATA', chunks: '00030011 00000007 00000000 0000000b 61000000 fe000004' },
  { name: 'unknown chunk 00 after DATA', chunks: '00030011 00000007 00000000 0000000b 61000000 3e000004' },
  { name: 'AUTH before COOKIE ECHO', chunks: '0f00000c 0001 0003 aabbccdd 0a000008 c0c0c0c0', extension: true },
  { name: 'I-DATA', chunks: '40030015 00000007 0000 0000 00000001 0000000b 61000000', extension: true },
  {
    name: 'ASCONF, IPv4',
    chunks: 'c1000020 00000001 0005 0008 0a4d0102 c001 0010 00000001 0005 0008 0a4d0103',
    extension: true,
  },
  {
    name: 'ASCONF, IPv6',
    chunks: 'c1000024 00000001 0006 0014 fd770001000000000000000000000001 c004 0008 00000001',
    extension: true,
  },
  { name: 'ASCONF-ACK', chunks: '80000010 00000001 c005 0008 00000001', extension: true },
  {
    name: 'RE-CONFIG: outgoing reset',
    chunks: '82000016 000d 0012 00000001 00000002 00000003 0001 0000',
    extension: true,
  },
  { name: 'RE-CONFIG: incoming reset', chunks: '8200000e 000e 000a 00000001 0001 0000', extension: true },
  {
    name: 'RE-CONFIG: reset all and response',
    chunks: '82000018 000f 0008 00000001 0010 000c 00000001 00000001',
    extension: true,
  },
  {
    name: 'RE-CONFIG: add streams',
    chunks: '8200001c 0011 000c 00000001 0001 0000 0012 000c 00000002 0001 0000',
    extension: true,
  },
  { name: 'RE-CONFIG: a request to come', chunks: '82000008 00ff 0004', extension: true },
  { name: 'PAD', chunks: '84000007 00000000', extension: true },
  { name: 'FORWARD-TSN', chunks: 'c000000c 00000007 0001 0002', extension: true },
  { name: 'I-FORWARD-TSN', chunks: 'c2000010 00000007 0001 0000 00000002', extension: true },
];
