/** Bare net: bytes for streams; for messages a length in front, as one writes it by hand. */

import { once } from 'node:events';
import { connect as connectNet, type Socket as NetSocket } from 'node:net';
import { corkedWriter, frame, readFrames } from './frames.js';
import { type Ask, ask, asTheyAre, check, echo, messages, rateOf, type Side, stream } from './runs.js';
import { type Addresses, oneWayMessages, outstanding, requestsOfRun, roundTripsOfRun } from './workloads.js';

async function connectBare(port: number): Promise<NetSocket> {
  const socket = connectNet(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export async function netSide({ ports }: Addresses): Promise<Side> {
  const [sink, echoing, answering, counting] = (await Promise.all(
    (['sink', 'echo', 'answer', 'count'] as const).map((service) => connectBare(ports.net[service])),
  )) as [NetSocket, NetSocket, NetSocket, NetSocket];
  answering.setNoDelay(true);
  // Answers come in the order of the requests.
  const waiting: ((answer: Uint8Array) => void)[] = [];
  readFrames(answering, (bytes) => waiting.shift()?.(bytes));
  const write = corkedWriter(answering);
  const request: Ask = (bytes) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      write(bytes);
    });
  let onReport = (_sum: Uint8Array): void => {};
  readFrames(counting, (bytes) => onReport(bytes));
  return {
    stream: () => stream(sink),
    echo: () => echo(echoing),
    requests: () => ask(request, asTheyAre, requestsOfRun, outstanding),
    roundTrips: () => ask(request, asTheyAre, roundTripsOfRun, 1, []),
    oneWay: async () => {
      const count = oneWayMessages.net;
      const begin = performance.now();
      const report = new Promise<Uint8Array>((resolve) => {
        onReport = resolve;
      });
      let sent = 0;
      const send = (): void => {
        while (sent < count) if (!counting.write(frame(messages[sent++ % messages.length] as Buffer))) break;
        if (sent < count) counting.once('drain', send);
      };
      send();
      const sum = await report;
      const run = rateOf(count, begin);
      check(sum, messages, count);
      return run;
    },
  };
}
