/**
 * The file transfer of draft-conrad-rserpool-service section 6.3. A request names a file and where to begin; the
 * answer is a sequence of pieces, each with its offset and the length of the whole file, or a refusal:
 *
 *    +---------------------------------------------------------------+
 *    | Offset (64 bits)                                              |
 *    +---------------------------------------------------------------+
 *    | Length of the whole file (64 bits); all ones: a refusal       |
 *    +---------------------------------------------------------------+
 *    : bytes of the file, or the reason as text                      :
 *    +---------------------------------------------------------------+
 */

export interface FileRequest {
  /** A name without a path. */
  readonly name: string;
  readonly offset: number;
}

export interface FilePiece {
  readonly type: 'piece';
  readonly offset: number;
  /** Length of the whole file. */
  readonly total: number;
  readonly bytes: Uint8Array;
}

/** The mirror cannot serve the request. */
export interface Refusal {
  readonly type: 'refusal';
  readonly reason: string;
}

/** Bytes of the file in one piece, at most. */
export const pieceLength: number = 32 * 1024;
export const pieceHeaderLength = 16;
const refused = 0xffff_ffff_ffff_ffffn;

export function encodeRequest(request: FileRequest): Uint8Array {
  return Buffer.from(JSON.stringify(request));
}

/** Undefined if it is no request. */
export function decodeRequest(data: Uint8Array): FileRequest | undefined {
  try {
    const { name, offset } = JSON.parse(Buffer.from(data).toString()) as Partial<FileRequest>;
    if (typeof name === 'string' && Number.isSafeInteger(offset) && (offset as number) >= 0) {
      return { name, offset: offset as number };
    }
  } catch {
    // Whatever it was, it was no request.
  }
  return undefined;
}

/** Writes the header of a piece in front of its bytes, which stand in `buffer` from `pieceHeaderLength` on. */
export function writePieceHeader(buffer: Buffer, offset: number, total: number): void {
  buffer.writeBigUInt64BE(BigInt(offset), 0);
  buffer.writeBigUInt64BE(BigInt(total), 8);
}

export function encodeRefusal(reason: string): Uint8Array {
  const header = Buffer.alloc(pieceHeaderLength);
  header.writeBigUInt64BE(refused, 8);
  return Buffer.concat([header, Buffer.from(reason)]);
}

/** Undefined if it is no answer. The bytes of a piece are those of `data`. */
export function decodeAnswer(data: Uint8Array): FilePiece | Refusal | undefined {
  if (data.length < pieceHeaderLength) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bytes = data.subarray(pieceHeaderLength);
  if (view.getBigUint64(8) === refused) return { type: 'refusal', reason: new TextDecoder().decode(bytes) };
  const [offset, total] = [Number(view.getBigUint64(0)), Number(view.getBigUint64(8))];
  if (!Number.isSafeInteger(total) || offset + bytes.length > total) return undefined;
  return { type: 'piece', offset, total, bytes };
}
