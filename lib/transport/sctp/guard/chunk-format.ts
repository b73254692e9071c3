/** Which check each chunk type has. */

import { checkAsconf, checkAsconfAck } from './asconf.js';
import { chunkType, reportsWhenUnknown, skipsWhenUnknown } from './chunk-type.js';
import { checkCookieEcho } from './cookie-echo.js';
import { checkData, checkIData } from './data.js';
import { checkAbort, checkError } from './error.js';
import { checkAuth, checkForwardTsn, checkIForwardTsn } from './extension.js';
import { checkHeaderOnly, checkOneTsn } from './fixed-length.js';
import { checkHeartbeat } from './heartbeat.js';
import { checkInit, checkInitAck } from './init.js';
import type { PacketReader } from './packet-reader.js';
import { checkReConfig } from './re-config.js';
import { checkSack } from './sack.js';

/** Checks the value of a chunk whose length (4 or more) lies inside the packet. */
export function checkChunkFormat(
  reader: PacketReader,
  type: number,
  at: number,
  length: number,
  isFirst: boolean,
): boolean {
  switch (type) {
    case chunkType.data:
      return checkData(reader, at, length);
    case chunkType.init:
      return checkInit(reader, at, length);
    case chunkType.initAck:
      return checkInitAck(reader, at, length);
    case chunkType.sack:
      return checkSack(reader, at, length);
    case chunkType.heartbeat:
    case chunkType.heartbeatAck:
      return checkHeartbeat(reader, at, length);
    case chunkType.abort:
      return checkAbort(reader, at, length);
    case chunkType.shutdown:
      return checkOneTsn(reader, at, length, 'RFC 9260 section 3.3.8');
    case chunkType.shutdownAck:
      return checkHeaderOnly(reader, at, length, 'RFC 9260 section 3.3.9');
    case chunkType.error:
      return checkError(reader, at, length);
    case chunkType.cookieEcho:
      return checkCookieEcho(reader, at, length);
    case chunkType.cookieAck:
      return checkHeaderOnly(reader, at, length, 'RFC 9260 section 3.3.12');
    case chunkType.ecne:
    case chunkType.cwr:
      return checkOneTsn(reader, at, length, 'RFC 4960 appendix A');
    case chunkType.shutdownComplete:
      return checkHeaderOnly(reader, at, length, 'RFC 9260 section 3.3.13');
    case chunkType.auth:
    case chunkType.iData:
    case chunkType.asconfAck:
    case chunkType.reConfig:
    case chunkType.pad:
    case chunkType.forwardTsn:
    case chunkType.asconf:
    case chunkType.iForwardTsn:
      return checkExtension(reader, type, at, length);
    default:
      return checkUnknown(reader, type, at, isFirst);
  }
}

function checkExtension(reader: PacketReader, type: number, at: number, length: number): boolean {
  if (reader.options.extensions === 'drop') return reader.fail('extensionNotTaken', at, 'limit');
  switch (type) {
    case chunkType.auth:
      return checkAuth(reader, at, length);
    case chunkType.iData:
      return checkIData(reader, at, length);
    case chunkType.asconfAck:
      return checkAsconfAck(reader, at, length);
    case chunkType.reConfig:
      return checkReConfig(reader, at, length);
    case chunkType.forwardTsn:
      return checkForwardTsn(reader, at, length);
    case chunkType.asconf:
      return checkAsconf(reader, at, length);
    case chunkType.iForwardTsn:
      return checkIForwardTsn(reader, at, length);
    default: // PAD: any length
      return true;
  }
}

/**
 * An unknown chunk with high bits 00 ends a packet in silence: where it comes first, nothing is left of the packet.
 * Any other one passes: the stack stops, skips and reports. What follows is checked all the same, because a stack
 * that reads on where it should stop must not come to harm.
 */
function checkUnknown(reader: PacketReader, type: number, at: number, isFirst: boolean): boolean {
  if (isFirst && !skipsWhenUnknown(type) && !reportsWhenUnknown(type)) {
    return reader.fail('unknownChunk', at, 'RFC 9260 section 3.2');
  }
  return true;
}
