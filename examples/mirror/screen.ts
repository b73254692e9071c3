/** What the demo shows: one status line at the bottom, and what happens above it. */

import type { Result, Summary } from './statistics.js';

const barLength = 40;
/** Milliseconds between two status lines. */
const redrawInterval = 50;

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #json: boolean;
  readonly #live: boolean;
  #drawn = 0;

  /** With `json`, nothing is shown but the result, as one line. */
  constructor(out: NodeJS.WriteStream, json: boolean) {
    this.#out = out;
    this.#json = json;
    this.#live = !json && out.isTTY === true;
  }

  event(text: string): void {
    if (this.#json) return;
    this.#out.write(`${this.#live ? '\r\x1b[2K' : ''}${text}\n`);
    this.#drawn = 0;
  }

  progress(serving: number, received: number, total: number, faults: number, ofFaults: number): void {
    if (!this.#live) return;
    const now = performance.now();
    if (now - this.#drawn < redrawInterval) return;
    this.#drawn = now;
    const share = received / total;
    const bar = '#'.repeat(Math.round(share * barLength)).padEnd(barLength, '.');
    const percent = String(Math.floor(share * 100)).padStart(3);
    this.#out.write(`\r\x1b[2K[${bar}] ${percent} %  served by mirror ${serving}  faults ${faults}/${ofFaults}`);
  }

  result(result: Result): void {
    if (this.#json) {
      this.#out.write(`${JSON.stringify(result)}\n`);
      return;
    }
    const megabytes = (result.bytes / 1024 / 1024).toFixed(0);
    this.event(`${result.downloads} downloads, ${megabytes} MB in ${result.seconds} s`);
    this.event(`SHA-256 ${result.equal ? 'equal on both sides' : 'NOT EQUAL'}: ${result.sha256}`);
    this.event(`bytes lost: ${result.lost}, repeated: ${result.repeated}`);
    this.event(`failovers: ${result.failovers}, of these without a fault: ${result.failoversWithoutFault}`);
    this.event(gaps('killed', result.killed));
    this.event(gaps('frozen', result.frozen));
    for (const error of result.errors) this.event(`error output: ${error}`);
    this.event(result.ok ? 'ok' : 'FAILED');
  }
}

function gaps(fault: string, { count, median, p95, worst }: Summary): string {
  return `${fault} ${count} times: gap median ${median} ms, 95th percentile ${p95} ms, worst ${worst} ms`;
}
