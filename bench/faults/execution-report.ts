/**
 * What a serving process executes: it appends a record to a file of its own when an execution begins, which outlives it, and
 * costs it and the client less than a message to the client would. Its first argument is the file.
 */

import { openSync, writeSync } from 'node:fs';
import { executionLength } from './load.js';

const file = openSync(process.argv[2] as string, 'a');

/** An execution begins. */
export function executed(id: number, redelivered: boolean): void {
  const record = Buffer.alloc(executionLength);
  record.writeUInt32BE(id);
  record[4] = redelivered ? 1 : 0;
  writeSync(file, record);
}
