/** A download that goes on from the bytes that it has when its mirror fails (draft-conrad-rserpool-service section 6.3). */

import { EventEmitter } from 'node:events';
import { connect, type FailoverFacts, type PoolConnectOptions, type Socket } from '../../lib/index.js';
import { decodeAnswer, encodeRequest, type FilePiece } from './protocol.js';

export interface DownloadEvents {
  /** Bytes of the file, in order. */
  bytes: [bytes: Uint8Array];
  failover: [facts: FailoverFacts];
  /** The file is here whole. */
  done: [];
  /** No mirror can be reached, or one refused: the download is over. */
  error: [error: Error];
  close: [];
}

/** Fetches files from a pool of mirrors, one at a time, over one session. */
export class Downloader extends EventEmitter<DownloadEvents> {
  readonly socket: Socket;
  /** Bytes that a mirror left out, or sent again: must stay 0. */
  lost = 0;
  repeated = 0;
  #name: string | undefined;
  #received = 0;

  constructor(poolHandle: string, options: Omit<PoolConnectOptions, 'poolHandle'> = {}) {
    super();
    this.socket = connect({
      ...options,
      poolHandle,
      onFailover: () => {
        // Sent again would be the first request, for bytes that are here already: ask for the rest instead.
        if (this.#name !== undefined) this.#request(this.#name);
        return [];
      },
    });
    this.socket.on('message', (message) => this.#onAnswer(message.data));
    this.socket.on('failover', (facts: FailoverFacts) => this.emit('failover', facts));
    this.socket.on('error', (error) => this.emit('error', error));
    this.socket.on('close', () => this.emit('close'));
  }

  get received(): number {
    return this.#received;
  }

  /** Asks for a file from its beginning; 'bytes' and then 'done' follow. */
  fetch(name: string): void {
    this.#name = name;
    this.#received = 0;
    this.#request(name);
  }

  end(): void {
    this.socket.end();
  }

  #request(name: string): void {
    this.socket.send(encodeRequest({ name, offset: this.#received }));
  }

  #onAnswer(data: Uint8Array): void {
    const answer = decodeAnswer(data);
    if (answer?.type === 'piece') this.#onPiece(answer);
    // Every mirror has the same files: another one would refuse as well.
    else this.socket.destroy(new Error(answer === undefined ? 'not an answer' : `refused: ${answer.reason}`));
  }

  #onPiece(piece: FilePiece): void {
    if (piece.offset > this.#received) this.lost += piece.offset - this.#received;
    if (piece.offset < this.#received) this.repeated += this.#received - piece.offset;
    this.#received = piece.offset + piece.bytes.length;
    if (piece.bytes.length > 0) this.emit('bytes', piece.bytes);
    if (this.#received < piece.total) return;
    this.#name = undefined;
    this.emit('done');
  }
}
