/** Hands over when the process is asked to stop: rolling restarts in one line. */

import cluster from 'node:cluster';
import { checkMilliseconds, checkObject, invalidArgumentType, invalidArgumentValue } from '../arguments.js';

export interface HandOverOptions {
  /**
   * Milliseconds after which who has not gone is broken off: sessions, whose users go elsewhere with what was not
   * acknowledged, marked, and connections that have no session. Default: 15,000; users wait 10,000 themselves.
   */
  readonly timeout?: number;
}

/** The time-out; throws Node's argument errors. */
export function checkHandOverOptions(options: HandOverOptions): number {
  checkObject('options', options);
  const { timeout = 15_000 } = options;
  return checkMilliseconds('options.timeout', timeout);
}

const signalForm = /^SIG[A-Z0-9]+$/;

/** The `handOverOn` option as a list; throws Node's argument errors. */
export function checkHandOverOn(given: unknown): readonly NodeJS.Signals[] {
  if (given === undefined) return [];
  const signals: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const signal of signals) {
    if (typeof signal !== 'string') {
      throw invalidArgumentType('options.handOverOn', 'of type string or an instance of Array', given);
    }
    if (!signalForm.test(signal) || signal === 'SIGKILL' || signal === 'SIGSTOP') {
      throw invalidArgumentValue('options.handOverOn', given, 'must name signals that can be listened for');
    }
  }
  return signals as readonly NodeJS.Signals[];
}

/** Who waits for each signal: one listener for all servers of the process, however many. */
const waiting = new Map<NodeJS.Signals, { readonly listener: () => void; readonly servers: Set<() => void> }>();

function listenFor(signal: NodeJS.Signals, server: () => void): void {
  const others = waiting.get(signal);
  if (others !== undefined) {
    others.servers.add(server);
    return;
  }
  const servers = new Set([server]);
  const listener = (): void => {
    for (const one of [...servers]) one();
  };
  waiting.set(signal, { listener, servers });
  process.on(signal, listener);
}

function forget(signal: NodeJS.Signals, server: () => void): void {
  const entry = waiting.get(signal);
  if (entry === undefined || !entry.servers.delete(server) || entry.servers.size > 0) return;
  waiting.delete(signal);
  process.removeListener(signal, entry.listener);
}

/**
 * Calls `handOver` at the first of these signals. From then on, or when the function that it returns is called, they
 * mean again what they meant before: a second one ends the process. A worker of node:cluster, which its channel to the
 * primary would keep alive, then lets go of that.
 */
export function onFirstSignal(signals: readonly NodeJS.Signals[], handOver: () => Promise<void>): () => void {
  const stop = (): void => {
    for (const signal of signals) forget(signal, onSignal);
  };
  const onSignal = (): void => {
    stop();
    void handOver().then(() => cluster.worker?.disconnect());
  };
  for (const signal of signals) listenFor(signal, onSignal);
  return stop;
}
