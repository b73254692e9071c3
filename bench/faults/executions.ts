/**
 * What the serving processes have executed: each appends a record to a file of its own when an execution begins, which
 * outlives it, and costs it and the client less than a message to the client would.
 */

import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** The request's number, and whether it was marked as redelivered. */
const recordLength = 5;
/** The file's place among a serving process's arguments. */
const argument = 2;

let file: number | undefined;

/** Of a serving process: an execution begins. */
export function executed(id: number, redelivered: boolean): void {
  file ??= openSync(process.argv[argument] as string, 'a');
  const record = Buffer.alloc(recordLength);
  record.writeUInt32BE(id);
  record[4] = redelivered ? 1 : 0;
  writeSync(file, record);
}

/** Reads the file of one process, again and again. */
export class ExecutionReader {
  readonly #file: number;
  #at = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'a+');
  }

  /** What was executed since the last call. */
  read(onExecuted: (id: number, redelivered: boolean) => void): void {
    const bytes = Buffer.alloc(fstatSync(this.#file).size - this.#at);
    const length = readSync(this.#file, bytes, 0, bytes.length, this.#at);
    const whole = length - (length % recordLength);
    for (let at = 0; at < whole; at += recordLength) onExecuted(bytes.readUInt32BE(at), bytes[at + 4] === 1);
    this.#at += whole;
  }

  close(): void {
    closeSync(this.#file);
  }
}
