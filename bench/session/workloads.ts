/** What is measured, and how much of it makes one run. Both processes know these numbers. */

export type Workload = 'stream' | 'echo' | 'requests' | 'roundTrips' | 'oneWay';

/** What the serving process does with a connection, for each side that has it. */
export type Service = 'sink' | 'echo' | 'answer' | 'count';

export const services: readonly Service[] = ['sink', 'echo', 'answer', 'count'];

/** Who is compared: our sessions, bare net, net with a length before each message, and two libraries. */
export type SideName = 'pool' | 'net' | 'framed' | 'ws' | 'grpc';

export const chunkLength: number = 64 * 1024;
export const messageLength = 100;

/** Bytes after which the sink of 'stream' reports what it got. */
export const sinkBytes: number = 2048 * chunkLength;
/** Bytes echoed in one run. */
export const echoBytes: number = 1024 * chunkLength;
export const requestsOfRun = 30_000;
export const outstanding = 256;
export const roundTripsOfRun = 3000;
/** Messages after which 'count' reports: one write each is slow, so some send fewer. */
export const oneWayMessages: Readonly<Record<SideName, number>> = {
  pool: 100_000,
  net: 20_000,
  framed: 100_000,
  ws: 20_000,
  grpc: 10_000,
};

/** What the serving process tells the measuring one when it is ready. */
export interface Addresses {
  readonly registrar: string;
  /** For each service, a port of net, of framed messages and of WebSockets. */
  readonly ports: Readonly<Record<'net' | 'framed' | 'ws', Readonly<Record<Service, number>>>>;
  readonly grpc: number;
}
