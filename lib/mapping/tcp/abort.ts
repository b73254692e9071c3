/**
 * The last words of a side that ends a connection at once.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                     Abort Code (`abortCode`)                  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  :                 Reason (UTF-8, for people to read)            :
 */

import { RserpoolError, type RserpoolErrorCode } from '../../errors.js';
import { abortCode } from '../mapping.js';
import { frameType } from './frame.js';
import type { FrameWriter } from './writer.js';

/** Bytes of the reason; more is cut off. */
const longestReason = 1024;

export function writeAbort(writer: FrameWriter, code: number, reason: string): void {
  const text = new TextEncoder().encode(reason).subarray(0, longestReason);
  const at = writer.frame(frameType.abort, 0, 0, 4 + text.length);
  writer.view.setUint32(at, code);
  writer.bytes(at + 4, text);
}

/** The error that the far side's abort means here. A body too short for a code is code 0. */
export function abortError(body: Uint8Array): RserpoolError {
  const code = body.length < 4 ? 0 : new DataView(body.buffer, body.byteOffset).getUint32(0);
  const reason = new TextDecoder().decode(body.subarray(4, 4 + longestReason));
  if (code === abortCode.application)
    return new RserpoolError('ERR_RSERPOOL_ABORTED', { detail: reason, origin: 'remote' });
  if (code === abortCode.limit) return new RserpoolError('ERR_RSERPOOL_LIMIT', { detail: reason, origin: 'remote' });
  if (code === abortCode.versionMismatch) {
    return new RserpoolError('ERR_RSERPOOL_VERSION_MISMATCH', { detail: reason, origin: 'remote' });
  }
  if (code === abortCode.cookieRefused) {
    return new RserpoolError('ERR_RSERPOOL_COOKIE_REFUSED', { detail: reason, origin: 'remote' });
  }
  const detail = `the far side aborted it (code ${code}: ${reason})`;
  return new RserpoolError('ERR_RSERPOOL_CONNECTION_BROKEN', { detail, origin: 'remote' });
}

/** Why a connection is of no more use: always the far side's doing, since our own aborts have no error. */
export function remoteError(code: RserpoolErrorCode, detail: string | undefined, cause?: Error): RserpoolError {
  return new RserpoolError(code, {
    origin: 'remote',
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause }),
  });
}
