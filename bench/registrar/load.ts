/** What all loads have in common: so many requests outstanding over so many connections, counted for some time. */

export const connections = 16;

/** Requests that are outstanding on all connections together. */
export const outstanding = 64;

/** Pools, with three elements each. */
export const pools = 500;
export const elementsOfPool = 3;

export interface Load {
  /** Answers that came, since the beginning. */
  readonly answers: number;
  /** Sends no more, waits for what is outstanding, and closes. */
  stop(): Promise<void>;
}

export function poolName(index: number): string {
  return `pool-${String(index).padStart(3, '0')}`;
}

/** An IP address that belongs to an element. */
export function elementAddress(pool: number, element: number): string {
  return `10.${element}.${pool >> 8}.${pool & 0xff}`;
}
