import test, { type ExecutionContext } from 'ava';
import type { ByteStreamTransport } from '../../lib/transport/transport.js';
import { connect, listen, type OpenPort, type WatchedStream } from './watched-stream.js';

/** Two processes that may reach each other over the transport under test. */
export interface TransportBench {
  readonly near: ByteStreamTransport;
  readonly far: ByteStreamTransport;
  /** The address that the far process listens at. */
  readonly farHost: string;
  /** Runs other events that are due, without waiting for any in particular. */
  turn(): Promise<void>;
  /** Called at the end of each test. */
  release(): Promise<void>;
}

export interface Pair {
  readonly near: WatchedStream;
  readonly far: WatchedStream;
  readonly port: OpenPort;
}

export async function pair(bench: TransportBench): Promise<Pair> {
  const port = await listen(bench.far, { host: bench.farHost, port: 0 });
  const near = await connect(bench.near, port.address);
  return { near, far: await port.connection(1), port };
}

/** Registers tests that each have a bench of their own. */
export function benchTest(
  name: string,
  open: () => Promise<TransportBench>,
): (title: string, run: (t: ExecutionContext, bench: TransportBench) => Promise<void>) => void {
  return (title, run) =>
    test(`${name}: ${title}`, async (t) => {
      const bench = await open();
      try {
        await run(t, bench);
      } finally {
        await bench.release();
      }
    });
}
