/**
 * Pool Handle (RFC 5354 section 3.9):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x9                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    : Pool Handle (any bytes)                                       :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { PoolHandle } from './parameters.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The pool handle that people's text means: its UTF-8 bytes. Lone surrogates become U+FFFD. */
export function toPoolHandle(text: string): PoolHandle {
  return bytesToPoolHandle(encoder.encode(text));
}

/** The pool handle of these bytes. */
export function bytesToPoolHandle(bytes: Uint8Array): PoolHandle {
  return bytes.length < 16 ? joinCharacters(bytes) : String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

function joinCharacters(bytes: Uint8Array): string {
  let handle = '';
  for (let i = 0; i < bytes.length; i++) handle += String.fromCharCode(bytes[i] ?? 0);
  return handle;
}

/** The bytes of a pool handle; a RangeError if a character is above 255. */
export function poolHandleBytes(handle: PoolHandle): Uint8Array {
  const bytes = new Uint8Array(handle.length);
  for (let i = 0; i < handle.length; i++) {
    const code = handle.charCodeAt(i);
    if (code > 0xff) throw new RangeError(`a pool handle must hold bytes only: character ${i} is above 255`);
    bytes[i] = code;
  }
  return bytes;
}

/**
 * A pool handle as text for people. Bytes that are not UTF-8 and control characters, which could play tricks on a
 * terminal, show as `\xNN`. Never throws. `toPoolHandle` gives the handle back if nothing had to be escaped.
 */
export function poolHandleText(handle: PoolHandle): string {
  if (/^[\x20-\x7e]*$/.test(handle)) return handle;
  let text: string;
  try {
    text = decoder.decode(poolHandleBytes(handle));
  } catch {
    return escapeAll(handle, /[^\x20-\x7e]/g);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return escapeAll(text, /[\x00-\x1f\x7f-\x9f]/g);
}

function escapeAll(text: string, which: RegExp): string {
  return text.replace(which, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Reads the Pool Handle parameter at `offset`. */
export function readPoolHandle(reader: ParameterReader, offset: number, length: number): PoolHandle {
  if (length - 4 > reader.limits.maxPoolHandleLength) {
    throw reader.overLimit(offset, `pool handle longer than ${reader.limits.maxPoolHandleLength} bytes`);
  }
  return bytesToPoolHandle(reader.bytes.subarray(offset + 4, offset + length));
}

/** Writes a Pool Handle parameter; a RangeError if a character is above 255. */
export function writePoolHandle(writer: ParameterWriter, handle: PoolHandle): void {
  const mark = writer.open(parameterType.poolHandle);
  writer.characters('a pool handle', handle);
  writer.close(mark);
}
