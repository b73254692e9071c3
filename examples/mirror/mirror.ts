/**
 * A mirror: an element of the pool that serves the files of a folder.
 *
 *   node dist/examples/mirror/mirror.js FOLDER [--pool mirrors] [--paced BYTES_A_SECOND] [--identifier N]
 *
 * The registrars are those of RSERPOOL_REGISTRARS.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createServer, type Socket } from '../../lib/index.js';
import {
  decodeRequest,
  encodeRefusal,
  type FileRequest,
  pieceHeaderLength,
  pieceLength,
  writePieceHeader,
} from './protocol.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pool: { type: 'string', default: 'mirrors' },
    paced: { type: 'string', default: '0' },
    identifier: { type: 'string' },
  },
});
const folder = positionals[0] ?? '.';
const bytesASecond = Number(values.paced);

/** Opens a file of the folder itself; names with a path are refused, so that nobody gets out of it. */
async function openFile(name: string): Promise<FileHandle> {
  if (name !== basename(name)) throw new Error('a name must not have a path');
  return await open(join(folder, name));
}

/**
 * Sends a file from an offset on, until its end or until `wanted` says that another request has come. `room` promises
 * that there is room for more.
 */
async function serve(
  socket: Socket,
  request: FileRequest,
  wanted: () => boolean,
  room: () => Promise<void>,
): Promise<void> {
  const file = await openFile(request.name);
  try {
    const total = (await file.stat()).size;
    const begun = performance.now();
    let { offset } = request;
    do {
      const buffer = Buffer.allocUnsafe(pieceHeaderLength + Math.min(pieceLength, Math.max(0, total - offset)));
      const { bytesRead } = await file.read(buffer, pieceHeaderLength, buffer.length - pieceHeaderLength, offset);
      writePieceHeader(buffer, offset, total);
      if (!wanted() || socket.destroyed) return;
      if (!socket.send(buffer.subarray(0, pieceHeaderLength + bytesRead))) await room();
      offset += bytesRead;
      const due = bytesASecond > 0 ? begun + ((offset - request.offset) / bytesASecond) * 1000 : 0;
      const early = due - performance.now();
      if (early >= 1) await pause(early);
    } while (offset < total);
  } finally {
    await file.close();
  }
}

const server = createServer((socket) => {
  let latest: FileRequest | undefined;
  const waiting: (() => void)[] = [];
  const room = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const goOn = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  socket.on('drain', goOn);
  socket.on('close', goOn);
  socket.on('message', (message) => {
    const request = decodeRequest(message.data);
    if (request === undefined) {
      socket.destroy(new Error('not a file request'));
      return;
    }
    latest = request;
    serve(socket, request, () => latest === request, room).catch((error: NodeJS.ErrnoException) => {
      // The session goes on: the user may ask for something else. Where the folder is does not concern it.
      if (!socket.destroyed && latest === request) socket.send(encodeRefusal(error.code ?? error.message));
    });
  });
  // A user that went elsewhere, or died: there is nobody left to serve.
  socket.on('error', () => {});
});
server.on('registered', () => console.log('registered'));
server.on('error', (error) => {
  console.error(`mirror: ${error.message}`);
  process.exitCode = 1;
});
server.listen({
  poolHandle: values.pool,
  ...(values.identifier === undefined ? {} : { peIdentifier: Number(values.identifier) }),
});
