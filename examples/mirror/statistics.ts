/** What the demo says in the end. */

/** Of durations, ms; null if there are none. */
export interface Summary {
  readonly count: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly worst: number | null;
}

export interface Result {
  /** Nothing was lost or repeated, there were faults enough, and no failover without one. */
  readonly ok: boolean;
  readonly downloads: number;
  /** Of all downloads. */
  readonly bytes: number;
  readonly seconds: number;
  readonly sha256: string;
  /** Whether every copy was equal to the file. */
  readonly equal: boolean;
  /** Bytes. */
  readonly lost: number;
  readonly repeated: number;
  readonly failovers: number;
  readonly failoversWithoutFault: number;
  /** For how long nothing arrived after a fault. */
  readonly killed: Summary;
  readonly frozen: Summary;
  /** What the processes wrote to their error output. */
  readonly errors: readonly string[];
}

/** The smallest value that at least `share` of the values do not exceed (nearest rank). */
function quantile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    worst: quantile(sorted, 1),
  };
}
