/**
 * One part of a handle table (ENRP_HANDLE_TABLE_RESPONSE, RFC 5353 section 2.3), written element by element up to a size:
 * the same bytes as `encodeEnrp`. A mentor of 100,000 elements writes each of them once and into the message itself, and
 * leaves nothing behind: collecting garbage is what users would wait for meanwhile.
 */

import { RserpoolError } from '../errors.js';
import { enrpMessageType, tableFlags } from './enrp.js';
import { maxMessageLength, ParameterWriter } from './parameter-writer.js';
import type { PoolElement, PoolHandle } from './parameters.js';
import { writePoolElement } from './pool-element.js';
import { writePoolHandle } from './pool-handle.js';

export class TableWriter {
  readonly #writer = new ParameterWriter();
  readonly #senderId: number;
  readonly #maxSize: number;
  #pool: PoolHandle | undefined;
  #elements = 0;

  /** `maxSize`: bytes of a part, unless a single element is larger. */
  constructor(senderId: number, maxSize: number) {
    this.#senderId = senderId;
    this.#maxSize = Math.min(maxSize, maxMessageLength);
  }

  /** Begins a part for a server; one at a time. */
  begin(receiverId: number): void {
    const writer = this.#writer;
    writer.reset();
    writer.u8('message type', enrpMessageType.handleTableResponse);
    writer.u8('message flags', 0);
    writer.u16('message length', 0);
    writer.u32('sender identifier', this.#senderId);
    writer.u32('receiver identifier', receiverId);
    this.#pool = undefined;
    this.#elements = 0;
  }

  /** Adds an element. False: it belongs into another part, and this one is as it was. */
  add(poolHandle: PoolHandle, element: PoolElement): boolean {
    const writer = this.#writer;
    const before = writer.length;
    try {
      // Named once for all of its elements that follow each other.
      if (poolHandle !== this.#pool) writePoolHandle(writer, poolHandle);
      writePoolElement(writer, element);
    } catch (error) {
      if (!(error instanceof RserpoolError) || this.#elements === 0) throw error;
      writer.truncate(before);
      return false;
    }
    if (writer.length > this.#maxSize && this.#elements > 0) {
      writer.truncate(before);
      return false;
    }
    this.#pool = poolHandle;
    this.#elements++;
    return true;
  }

  /** The part, with its padding. */
  end(moreToSend: boolean): Uint8Array {
    const writer = this.#writer;
    writer.close(0);
    writer.align();
    const bytes = writer.copy();
    bytes[1] = tableFlags(false, moreToSend);
    return bytes;
  }
}
