/** What the demo shows: one status line at the bottom, and what happens above it. */

import type { Summary } from './statistics.js';

interface Outcome {
  readonly ok: boolean;
  readonly downloads: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly sha256: string;
  readonly equal: boolean;
  readonly lost: number;
  readonly repeated: number;
  readonly failovers: number;
  readonly failoversWithoutFault: number;
  readonly killed: Summary;
  readonly frozen: Summary;
  readonly errors: readonly string[];
}

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

  result(outcome: Outcome): void {
    if (this.#json) {
      this.#out.write(`${JSON.stringify(outcome)}\n`);
      return;
    }
    const megabytes = (outcome.bytes / 1024 / 1024).toFixed(0);
    this.event(`${outcome.downloads} downloads, ${megabytes} MB in ${outcome.seconds} s`);
    this.event(`SHA-256 ${outcome.equal ? 'equal on both sides' : 'NOT EQUAL'}: ${outcome.sha256}`);
    this.event(`bytes lost: ${outcome.lost}, repeated: ${outcome.repeated}`);
    this.event(`failovers: ${outcome.failovers}, of these without a fault: ${outcome.failoversWithoutFault}`);
    this.event(gaps('killed', outcome.killed));
    this.event(gaps('frozen', outcome.frozen));
    for (const error of outcome.errors) this.event(`error output: ${error}`);
    this.event(outcome.ok ? 'ok' : 'FAILED');
  }
}

function gaps(fault: string, { count, median, p95, worst }: Summary): string {
  return `${fault} ${count} times: gap median ${median} ms, 95th percentile ${p95} ms, worst ${worst} ms`;
}
