/** What a serving process has executed, from the file that it reports to (execution-report.ts). */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { executionLength } from './load.js';

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
    const whole = length - (length % executionLength);
    for (let at = 0; at < whole; at += executionLength) onExecuted(bytes.readUInt32BE(at), bytes[at + 4] === 1);
    this.#at += whole;
  }

  close(): void {
    closeSync(this.#file);
  }
}
