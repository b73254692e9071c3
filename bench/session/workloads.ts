/** What is measured, and how much of it makes one run. Both processes know these numbers. */

export type Workload = 'stream' | 'echo' | 'requests' | 'roundTrips' | 'oneWay';

/** What the serving process does with a connection; each has a pool of that name and a net server. */
export type Service = 'sink' | 'echo' | 'answer' | 'count';

export const chunkLength: number = 64 * 1024;
export const messageLength = 100;

/** Bytes after which the sink of 'stream' reports what it got. */
export const sinkBytes: number = 2048 * chunkLength;
/** Bytes echoed in one run. */
export const echoBytes: number = 1024 * chunkLength;
export const requestsOfRun = 30_000;
export const outstanding = 256;
export const roundTripsOfRun = 3000;
/** Messages after which 'count' reports: one write each is slow, so net sends fewer. */
export const oneWayMessages = { pool: 100_000, net: 20_000 } as const;

/** What the serving process tells the measuring one when it is ready. */
export interface Addresses {
  readonly registrar: string;
  readonly ports: Readonly<Record<Service, number>>;
}
