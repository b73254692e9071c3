/** Which processor a process runs on: the server of a benchmark has one to itself, where there is more than one. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

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

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const cores = has('taskset') ? allowedCores() : [];

/** Whether servers and load are kept apart. */
export const pinned: boolean = cores.length > 1;

/** The words that start a command on the servers' processor. */
export function onServerCore(command: string, args: readonly string[]): [command: string, args: string[]] {
  return pinned ? ['taskset', ['-c', `${cores[0]}`, command, ...args]] : [command, [...args]];
}

const hasChrt = has('chrt');

/** Whether this process runs in real-time scheduling (`chrt -r 1`), which what it starts inherits. */
export const realTime: boolean =
  hasChrt &&
  execFileSync('chrt', ['-p', `${process.pid}`])
    .toString()
    .includes('_RR');

/**
 * Leaves real-time scheduling to the main thread of a process, so that V8's other threads (which compile and collect)
 * give way to it as they do in usual scheduling: on one processor they would otherwise hold it up for as long as they work.
 */
export function mainThreadFirst(pid: number): void {
  if (!realTime) return;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    if (thread !== `${pid}`) execFileSync('chrt', ['-o', '-p', '0', thread], { stdio: 'ignore' });
  }
}

/**
 * The words that start a command which gives way to this process: it runs when nobody else wants its processor, or at the
 * lowest priority where the system has no such scheduling.
 */
export function givingWay(command: string, args: readonly string[]): [command: string, args: string[]] {
  return hasChrt ? ['chrt', ['-i', '0', command, ...args]] : ['nice', ['-n', '19', command, ...args]];
}

/**
 * Puts this process's main thread before all others of its processor, what it starts not, and returns whether it may: one
 * that measures how long answers take, and shares its processor, otherwise measures how long it waits for that. (Even a
 * process that gives way is taken off only some milliseconds after the other one could run.) Its garbage is then collected
 * by that thread alone.
 */
export function measureUndisturbed(): boolean {
  if (!hasChrt) return false;
  try {
    execFileSync('chrt', ['--reset-on-fork', '-r', '-p', '1', `${process.pid}`], { stdio: 'ignore' });
  } catch {
    return false;
  }
  setFlagsFromString('--no-parallel-scavenge');
  return true;
}

/** Moves this process to the other processors. */
export function leaveServerCore(): void {
  if (pinned) execFileSync('taskset', ['-a', '-cp', cores.slice(1).join(','), `${process.pid}`], { stdio: 'ignore' });
}
