/**
 * Elements that were found unreachable lately (RFC 5352 section 3.5): a registrar may not know yet and name them still.
 * Also the limit on how often one is reported (section 9.2, threat 8).
 */

import type { PoolElement, PoolHandle } from '../wire/parameters.js';

interface Failure {
  readonly suspectedUntil: number;
  readonly mayReportAt: number;
}

/** Failures remembered at a time; the oldest makes room. */
const maxFailures = 4_096;

export class Suspicion {
  readonly #suspicionTime: number;
  readonly #reportInterval: number;
  readonly #failures = new Map<string, Failure>();

  /** Both in milliseconds: how long an element is suspected, and the least time between reports about it. */
  constructor(suspicionTime: number, reportInterval: number) {
    this.#suspicionTime = suspicionTime;
    this.#reportInterval = reportInterval;
  }

  /** The element failed. Returns whether to report it: at most once per interval. */
  add(poolHandle: PoolHandle, peIdentifier: number, now: number): boolean {
    const key = keyOf(poolHandle, peIdentifier);
    const before = this.#failures.get(key);
    const report = before === undefined || now >= before.mayReportAt;
    const mayReportAt = report ? now + this.#reportInterval : (before?.mayReportAt ?? now);
    this.#failures.delete(key);
    this.#failures.set(key, { suspectedUntil: now + this.#suspicionTime, mayReportAt });
    if (this.#failures.size > maxFailures) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    return report;
  }

  isSuspected(poolHandle: PoolHandle, peIdentifier: number, now: number): boolean {
    if (this.#failures.size === 0) return false;
    const failure = this.#failures.get(keyOf(poolHandle, peIdentifier));
    return failure !== undefined && now < failure.suspectedUntil;
  }

  /** The elements in their order, suspected ones last. */
  order(poolHandle: PoolHandle, elements: readonly PoolElement[], now: number): readonly PoolElement[] {
    if (this.#failures.size === 0) return elements;
    const suspected = elements.filter((element) => this.isSuspected(poolHandle, element.identifier, now));
    if (suspected.length === 0) return elements;
    return [...elements.filter((element) => !suspected.includes(element)), ...suspected];
  }
}

function keyOf(poolHandle: PoolHandle, peIdentifier: number): string {
  return `${peIdentifier}/${poolHandle}`;
}
