/** What a process takes of processor and memory, asked for by its parent. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Taken {
  /** Bytes of heap and of memory outside it, after a collection. */
  readonly held: number;
  /** Bytes resident. */
  readonly resident: number;
}

/** Needs --expose-gc for `held`. */
export function taken(): Taken {
  // What is outside is given back when the objects in front of it have been finalized: by the second time.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, resident: rss };
}

/** Milliseconds of processor time since this process began. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function answerMeasurements(): void {
  process.on('message', (what) => process.send?.(what === 'cpu' ? cpuTime() : taken()));
  process.on('disconnect', () => process.exit());
}

export async function takenBy(child: ChildProcess): Promise<Taken> {
  const answer = once(child, 'message');
  child.send('measure');
  const [measured] = (await answer) as [Taken];
  return measured;
}

/** Without a collection, whose threads go on for a while. */
export async function cpuTimeOf(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message');
  child.send('cpu');
  const [measured] = (await answer) as [number];
  return measured;
}
