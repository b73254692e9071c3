/**
 * Loaded into the demo's processes before all else: makes the mirrors unreliable. SABOTAGE says what happens to the
 * fifth piece of a file: it is dropped, repeated, or its first byte is wrong.
 */

import { basename } from 'node:path';
import { decodeAnswer, pieceLength } from '../../examples/mirror/protocol.js';
import { Socket } from '../../lib/index.js';

export type Sabotage = 'drop' | 'repeat' | 'corrupt';

/** Early enough to come before the demo's first fault, so that it happens once in a download. */
const offset = 4 * pieceLength;

if (basename(process.argv[1] ?? '') === 'mirror.js') {
  const kind = process.env.SABOTAGE;
  const send = Socket.prototype.send;
  Socket.prototype.send = function (data, ...rest): boolean {
    const answer = typeof data === 'string' ? undefined : decodeAnswer(data);
    if (answer?.type === 'piece' && answer.offset === offset) {
      if (kind === 'drop') return true;
      if (kind === 'repeat') send.call(this, data, ...rest);
      if (kind === 'corrupt') answer.bytes.set([~(answer.bytes[0] ?? 0) & 0xff]);
    }
    return send.call(this, data, ...rest);
  };
}
