/**
 * The file transfer of draft-conrad-rserpool-service section 6.3. A request names a file and where to begin; the
 * answer is a sequence of messages, each with its offset and the length of the whole file.
 */

export interface FileRequest {
  readonly name: string;
  readonly offset: number;
}

export interface FilePiece {
  readonly offset: number;
  /** Length of the whole file. */
  readonly total: number;
  readonly bytes: Uint8Array;
}

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

export const pieceHeaderLength = 16;

/** Writes the header of a piece in front of its bytes, which stand in `buffer` from `pieceHeaderLength` on. */
export function writePieceHeader(buffer: Buffer, offset: number, total: number): void {
  buffer.writeBigUInt64BE(BigInt(offset), 0);
  buffer.writeBigUInt64BE(BigInt(total), 8);
}

export function decodePiece(data: Uint8Array): FilePiece {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    offset: Number(view.getBigUint64(0)),
    total: Number(view.getBigUint64(8)),
    bytes: data.subarray(pieceHeaderLength),
  };
}
