import type { Attempt, TransportAddress } from '../../lib/transport/transport.js';
import { benchTest, pair, type TransportBench } from './bench.js';
import { connect, listen, WatchedStream } from './watched-stream.js';

/** Registers a test for each promise of lib/transport/transport.ts about connecting and listening. */
export function portCompliance(name: string, open: () => Promise<TransportBench>): void {
  const it = benchTest(name, open);

  it('a connection to a port where nobody listens is refused', async (t, bench) => {
    const port = await listen(bench.far, { host: bench.farHost, port: 0 });
    await new Promise<void>((resolve) => port.listener.close(resolve));
    const error = await t.throwsAsync<NodeJS.ErrnoException>(connect(bench.near, port.address));
    t.is(error.code, 'ECONNREFUSED');
    t.is(error.syscall, 'connect');
  });

  it('a cancelled attempt calls nobody, however it would have ended', async (t, bench) => {
    const port = await listen(bench.far, { host: bench.farHost, port: 0 });
    const closedPort = await listen(bench.far, { host: bench.farHost, port: 0 });
    await new Promise<void>((resolve) => closedPort.listener.close(resolve));
    const calls: string[] = [];
    const attempt = (target: TransportAddress) =>
      bench.near.connect(target, {
        onOpen: (stream) => {
          calls.push('open');
          return new WatchedStream(stream);
        },
        onError: () => calls.push('error'),
      });
    for (const target of [port.address, closedPort.address]) attempt(target).cancel();
    for (const target of [port.address, closedPort.address]) {
      const late = attempt(target);
      await bench.turn();
      if (calls.length === 0) late.cancel();
      else calls.length = 0;
    }
    // A later connection has come through: earlier ones had their chance.
    const other = await connect(bench.near, port.address);
    await bench.turn();
    t.deepEqual(calls, []);
    other.destroy();
    await other.closed();
    for (const stream of port.accepted) stream.destroy();
    port.listener.close();
  });

  it('cancelling after the connection is up leaves it alone', async (t, bench) => {
    const port = await listen(bench.far, { host: bench.farHost, port: 0 });
    let attempt: Attempt | undefined;
    const near = await new Promise<WatchedStream>((resolve, reject) => {
      attempt = bench.near.connect(port.address, {
        onOpen: (stream) => {
          const watched = new WatchedStream(stream);
          resolve(watched);
          return watched;
        },
        onError: reject,
      });
    });
    attempt?.cancel();
    await bench.turn();
    const far = await port.connection(1);
    near.write('alive');
    await far.until(() => far.receivedBytes === 5);
    t.is(far.text, 'alive');
    near.destroy();
    far.destroy();
    await far.closed();
    port.listener.close();
  });

  it('a second listener on a port that is in use is refused', async (t, bench) => {
    const port = await listen(bench.far, { host: bench.farHost, port: 0 });
    const error = await t.throwsAsync<NodeJS.ErrnoException>(listen(bench.far, port.address));
    t.is(error.code, 'EADDRINUSE');
    t.is(error.syscall, 'listen');
    port.listener.close();
  });

  it('port 0 takes free ports, a different one each time', async (t, bench) => {
    const ports = [
      await listen(bench.far, { host: bench.farHost, port: 0 }),
      await listen(bench.far, { host: bench.farHost, port: 0 }),
    ];
    const numbers = ports.map((port) => port.address.port);
    t.is(new Set(numbers).size, 2);
    for (const number of numbers) t.true(number > 0 && number < 65536);
    for (const port of ports) port.listener.close();
  });

  it('a closed listener frees its port at once, and its streams go on', async (t, bench) => {
    const { near, far, port } = await pair(bench);
    await new Promise<void>((resolve) => port.listener.close(resolve));
    const again = await listen(bench.far, port.address);
    t.deepEqual(again.address, port.address);
    near.write('still open');
    await far.until(() => far.receivedBytes === 10);
    t.is(far.text, 'still open');
    t.is(port.accepted.length, 1);
    near.destroy();
    far.destroy();
    await Promise.all([near.closed(), far.closed()]);
    again.listener.close();
  });

  it('a listener closed before it listens never does', async (t, bench) => {
    const first = await listen(bench.far, { host: bench.farHost, port: 0 });
    const { address } = first;
    await new Promise<void>((resolve) => first.listener.close(resolve));
    let listening = false;
    const listener = bench.far.listen(address, {
      onListening: () => {
        listening = true;
      },
      onConnection: (stream) => new WatchedStream(stream),
      onError: () => {},
    });
    await new Promise<void>((resolve) => listener.close(resolve));
    const again = await listen(bench.far, address);
    t.false(listening);
    t.deepEqual(again.address, address);
    again.listener.close();
  });
}
