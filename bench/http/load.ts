/** Requests through an agent, so many at a time, one after the other. */

import http from 'node:http';

export interface Load {
  readonly agent: http.Agent;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** Ms. */
  readonly duration: number;
  /** Where request number `at` goes, for an agent that does not choose by itself. */
  readonly port?: (at: number) => number;
}

export interface LoadResult {
  readonly requests: number;
  readonly failures: readonly Error[];
  readonly perSecond: number;
  /** Processor time of this process for each request, µs: less moved by what else the machine does. */
  readonly processorTime: number;
  /** Of each request, ms. */
  readonly latencies: readonly number[];
}

const content = Buffer.alloc(2_000, 'x');

/** Three in four are GETs, the others PUTs of 2,000 bytes: all may be repeated. An answer to another request is a failure. */
export async function run({ agent, concurrency, duration, port }: Load): Promise<LoadResult> {
  const failures: Error[] = [];
  const latencies: number[] = [];
  const begun = performance.now();
  const used = process.cpuUsage();
  let at = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < begun + duration) {
      const number = at++;
      const from = performance.now();
      try {
        await request(agent, number, port?.(number));
        latencies.push(performance.now() - from);
      } catch (error) {
        failures.push(error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(used);
  const processorTime = (user + system) / at;
  return { requests: at, failures, perSecond: latencies.length / seconds, processorTime, latencies };
}

function request(agent: http.Agent, number: number, port: number | undefined): Promise<void> {
  const isPut = number % 4 === 3;
  const path = `/${number}`;
  const expected = isPut ? `PUT ${path} ${content.length}` : `GET ${path}`;
  return new Promise((resolve, reject) => {
    const where = port === undefined ? {} : { port };
    const sent = http.request({ agent, host: '127.0.0.1', path, method: isPut ? 'PUT' : 'GET', ...where });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && text.slice(2) === expected) resolve();
        else reject(new Error(`${response.statusCode} ${text.slice(0, 100)}`));
      });
    });
    sent.end(isPut ? content : undefined);
  });
}
