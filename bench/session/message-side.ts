/** A side whose streams are made of messages: 64 KiB of the stream are one message. */

import { type Ask, ask, asTheyAre, check, chunks, messages, type Run, rateOf, type Side } from './runs.js';
import { RollingSum } from './sum.js';
import {
  chunkLength,
  echoBytes,
  outstanding,
  requestsOfRun,
  roundTripsOfRun,
  type Service,
  sinkBytes,
} from './workloads.js';

/** A connection to one service that carries messages both ways. */
export interface MessagePath {
  /** False: wait for `onceDrained`. */
  send(bytes: Uint8Array): boolean;
  onceDrained(listener: () => void): void;
  /** From now on messages go there. */
  onMessage(listener: (bytes: Uint8Array) => void): void;
}

function sendAll(path: MessagePath, sources: readonly Uint8Array[], count: number): void {
  let sent = 0;
  const send = (): void => {
    while (sent < count) if (!path.send(sources[sent++ % sources.length] as Uint8Array)) break;
    if (sent < count) path.onceDrained(send);
  };
  send();
}

/** Sends so many messages and waits for the sink's report of what came. */
async function reported(path: MessagePath, sources: readonly Uint8Array[], count: number, units: number): Promise<Run> {
  const begin = performance.now();
  const report = new Promise<Uint8Array>((resolve) => path.onMessage(resolve));
  sendAll(path, sources, count);
  const sum = await report;
  const run = rateOf(units, begin);
  check(sum, sources, count);
  return run;
}

async function echoed(path: MessagePath): Promise<Run> {
  const sum = new RollingSum();
  const begin = performance.now();
  const all = new Promise<void>((resolve) => {
    path.onMessage((bytes) => {
      sum.add(bytes);
      if (sum.length === echoBytes) resolve();
    });
  });
  sendAll(path, chunks, echoBytes / chunkLength);
  await all;
  const run = rateOf(echoBytes, begin);
  check(sum, chunks, echoBytes / chunkLength);
  return run;
}

/** `share` of the requests that others make, for a side that is so slow that its runs would never end. */
export function messageSide(
  paths: Readonly<Record<Service, MessagePath>>,
  request: Ask,
  share: number,
  oneWay: number,
): Side {
  return {
    stream: () => reported(paths.sink, chunks, sinkBytes / chunkLength, sinkBytes),
    echo: () => echoed(paths.echo),
    requests: () => ask(request, asTheyAre, requestsOfRun * share, outstanding),
    roundTrips: () => ask(request, asTheyAre, roundTripsOfRun * share, 1, []),
    oneWay: () => reported(paths.count, messages, oneWay, oneWay),
  };
}

/** Requests over a path that answers in order. */
export function requestsInOrder(path: MessagePath): Ask {
  const waiting: ((answer: Uint8Array) => void)[] = [];
  path.onMessage((bytes) => waiting.shift()?.(bytes));
  return (bytes) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      path.send(bytes);
    });
}
