import test from 'ava';
import {
  AssociationGuard,
  type LocalFacts,
  type PeerFacts,
} from '../../../lib/transport/sctp/guard/association-guard.js';
import { guardOptions } from '../../../lib/transport/sctp/guard/guard-options.js';
import { guardPacket } from '../../../lib/transport/sctp/guard/guard-packet.js';
import type { Verdict } from '../../../lib/transport/sctp/guard/verdict.js';
import { dataChunk, digits, packetOf, sackChunk, tag } from './packets.js';

const peerTag = 0x55667788;
const peerTagText = digits(peerTag);
const local: LocalFacts = { tag, initialTsn: 100, tsnWindow: 50 };
const peer: PeerFacts = { tag: peerTag, initialTsn: 0xffff_fff0, inboundStreams: 3 };
const checking = guardOptions({ extensions: 'check' });

function judge(association: AssociationGuard, chunks: string, verificationTag?: string): Verdict {
  return guardPacket(packetOf(chunks, verificationTag), association, checking);
}

function established(facts: Partial<LocalFacts> = {}): AssociationGuard {
  return new AssociationGuard({ ...local, ...facts }, peer);
}

test('a packet must carry our tag', (t) => {
  t.is(judge(established(), '08000004').type, 'pass');
  t.like(judge(established(), '08000004', peerTagText), { reason: 'verificationTagWrong', offset: 4 });
});

test('an INIT passes with its tag of zero, for the peer may have restarted', (t) => {
  t.is(judge(established(), '01000014 00000001 0000ffff 000a 000a 00000007').type, 'pass');
});

for (const [name, type] of [
  ['ABORT', '06'],
  ['SHUTDOWN COMPLETE', '0e'],
] as const) {
  test(`${name} carries our tag, or with the T bit the peer's`, (t) => {
    t.is(judge(established(), `${type}000004`).type, 'pass');
    t.is(judge(established(), `${type}010004`, peerTagText).type, 'pass');
    t.like(judge(established(), `${type}010004`), { reason: 'verificationTagWrong' });
    t.like(judge(established(), `${type}000004`, peerTagText), { reason: 'verificationTagWrong' });
  });
}

test('a reflecting ABORT is alone, and one behind other chunks does not reflect', (t) => {
  t.like(judge(established(), '06010004 08000004', peerTagText), { reason: 'verificationTagWrong', offset: 4 });
  t.is(judge(established(), '0b000004 06000004').type, 'pass');
  t.like(judge(established(), '0b000004 06010004'), { reason: 'verificationTagWrong', offset: 16 });
});

test('a stream must be below the negotiated number', (t) => {
  t.is(judge(established(), dataChunk(0xffff_fff0, 2)).type, 'pass');
  t.like(judge(established(), dataChunk(0xffff_fff0, 3)), { reason: 'streamOutOfRange', offset: 20 });
});

test('a TSN must lie inside the window past what we acknowledged, over the wrap', (t) => {
  const association = established();
  t.is(judge(association, dataChunk((0xffff_ffef + 50) % 2 ** 32)).type, 'pass');
  t.like(judge(association, dataChunk((0xffff_ffef + 51) % 2 ** 32)), { reason: 'tsnOutOfWindow', offset: 16 });
  t.like(judge(association, dataChunk(0xffff_ffee)), { reason: 'tsnOutOfWindow' });
  association.noteSent(packetOf(sackChunk(0xffff_fff4)));
  t.is(judge(association, dataChunk((0xffff_fff4 + 50) % 2 ** 32)).type, 'pass');
  t.is(judge(association, dataChunk(0xffff_fff1)).type, 'pass', 'it was sent again');
});

test('our SHUTDOWN acknowledges too', (t) => {
  const association = established();
  association.noteSent(packetOf(`07000008 ${digits(20)}`));
  t.is(judge(association, dataChunk(70)).type, 'pass');
  t.like(judge(association, dataChunk(71)), { reason: 'tsnOutOfWindow' });
});

test('I-DATA and FORWARD-TSN are held to the window as well', (t) => {
  const iData = (tsn: number): string => `40030015 ${digits(tsn)} 0000 0000 00000001 0000000b 61000000`;
  t.is(judge(established(), iData(0xffff_fff0)).type, 'pass');
  t.like(judge(established(), iData(100)), { reason: 'tsnOutOfWindow', offset: 16 });
  t.is(judge(established(), `c0000008 ${digits(0xffff_fff9)}`).type, 'pass');
  t.like(judge(established(), `c0000008 ${digits(1000)}`), { reason: 'tsnOutOfWindow', offset: 16 });
});

test('a SACK acknowledges nothing that was never sent', (t) => {
  const association = established();
  t.is(judge(association, sackChunk(99)).type, 'pass', 'nothing yet');
  t.like(judge(association, sackChunk(100)), { reason: 'tsnNeverSent', offset: 16 });
  association.noteSent(packetOf(dataChunk(100) + dataChunk(101)));
  t.is(judge(association, sackChunk(101)).type, 'pass');
  t.is(judge(association, sackChunk(99)).type, 'pass', 'an overtaken one');
  t.like(judge(association, sackChunk(102)), { reason: 'tsnNeverSent' });
  t.like(judge(association, sackChunk(98)), { reason: 'tsnNeverSent' });
});

test('Gap Ack Blocks end at what was sent', (t) => {
  const association = established();
  association.noteSent(packetOf(dataChunk(109)));
  t.is(
    judge(
      association,
      sackChunk(101, [
        [2, 3],
        [5, 8],
      ]),
    ).type,
    'pass',
  );
  t.like(
    judge(
      association,
      sackChunk(101, [
        [2, 3],
        [5, 9],
      ]),
    ),
    { reason: 'gapAckBlockNeverSent', offset: 32 },
  );
});

test('a SHUTDOWN acknowledges only what was sent', (t) => {
  t.is(judge(established(), `07000008 ${digits(99)}`).type, 'pass');
  t.like(judge(established(), `07000008 ${digits(100)}`), { reason: 'tsnNeverSent', offset: 16 });
});

test('an established association takes no cookie but its own', (t) => {
  const own = '0a000008 c0c1c2c3';
  t.like(judge(established(), own), { reason: 'cookieWrong', offset: 12 });
  const association = established({ cookie: Uint8Array.of(0xc0, 0xc1, 0xc2, 0xc3) });
  t.is(judge(association, own).type, 'pass');
  t.like(judge(association, '0a000008 c0c1c2c4'), { reason: 'cookieWrong' });
  t.like(judge(association, '0a000007 c0c1c200'), { reason: 'cookieWrong' });
});

test('before the peer is known only INIT ACK, INIT and ABORT come', (t) => {
  const association = new AssociationGuard(local);
  t.is(association.state, 'cookieWait');
  const initAck = '0200001c 00000001 0000ffff 000a 000a 00000007 0007 0008 c0c0c0c0';
  t.is(judge(association, initAck).type, 'pass');
  t.is(judge(association, '01000014 00000001 0000ffff 000a 000a 00000007').type, 'pass');
  t.is(judge(association, '06000004').type, 'pass');
  t.like(judge(association, '06010004', peerTagText), { reason: 'verificationTagWrong' });
  t.like(judge(association, initAck, peerTagText), { reason: 'verificationTagWrong' });
  t.like(judge(association, dataChunk(7)), { reason: 'chunkNotExpected', offset: 12 });
  association.establish(peer);
  t.is(association.state, 'established');
  t.is(judge(association, dataChunk(peer.initialTsn)).type, 'pass');
});

test('judging changes nothing', (t) => {
  const association = established();
  for (let ahead = 1; ahead <= 50; ahead++) judge(association, dataChunk((0xffff_ffef + ahead) % 2 ** 32));
  t.like(judge(association, dataChunk((0xffff_ffef + 51) % 2 ** 32)), { reason: 'tsnOutOfWindow' });
});

test('a window that is none is refused', (t) => {
  for (const tsnWindow of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
    t.throws(() => established({ tsnWindow }), { instanceOf: RangeError, message: /tsnWindow/ });
  }
});
