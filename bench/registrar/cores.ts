/** Which processor a process runs on: the server of a benchmark has one to itself, where there is more than one. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The processors that this process may run on; empty where the system does not say. */
function allowedCores(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    return list.split(',').flatMap((part) => {
      const [first, last] = part.split('-').map(Number);
      if (first === undefined || Number.isNaN(first)) return [];
      return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i);
    });
  } catch {
    return [];
  }
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const cores = hasTaskset() ? allowedCores() : [];

/** Whether servers and load are kept apart. */
export const pinned: boolean = cores.length > 1;

/** The words that start a command on the servers' processor. */
export function onServerCore(command: string, args: readonly string[]): [command: string, args: string[]] {
  return pinned ? ['taskset', ['-c', `${cores[0]}`, command, ...args]] : [command, [...args]];
}

/** Moves this process to the other processors. */
export function leaveServerCore(): void {
  if (pinned) execFileSync('taskset', ['-a', '-cp', cores.slice(1).join(','), `${process.pid}`], { stdio: 'ignore' });
}
