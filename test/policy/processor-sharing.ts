/**
 * A simulation of a pool at work: ten elements that each share their speed among the requests they have, exponential
 * request sizes of mean 1, and a load of 80 %. Elements are chosen by a handlespace, one resolution a request, and
 * state their load with each change.
 */

import { seededRandom } from '../../lib/random.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { element, handlespace } from '../handlespace/elements.js';

const elementCount = 10;
const utilization = 0.8;

interface Job {
  readonly size: number;
  readonly arrivedAt: number;
  /** How much service its element will have given to each job when this one is done. */
  doneAt: number;
  readonly user: number;
}

/** One element: what it has given to each job that was there all the time, and the jobs, soonest done first. */
class Element {
  readonly jobs: Job[] = [];
  #given = 0;
  #since = 0;

  nextCompletion(): number {
    const [first] = this.jobs;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    return this.#since + (first.doneAt - this.#given) * this.jobs.length;
  }

  begin(job: Job, now: number): void {
    this.#advance(now);
    job.doneAt = this.#given + job.size;
    const at = this.jobs.findIndex((other) => other.doneAt > job.doneAt);
    this.jobs.splice(at === -1 ? this.jobs.length : at, 0, job);
  }

  complete(now: number): Job {
    this.#advance(now);
    return this.jobs.shift() as Job;
  }

  #advance(now: number): void {
    if (this.jobs.length > 0) this.#given += (now - this.#since) / this.jobs.length;
    this.#since = now;
  }
}

export interface QueueingOptions {
  readonly seed: number;
  /** How many requests are measured. */
  readonly requests: number;
  /**
   * 'open': every request goes to an element as it arrives. A number: so many users have one request at a time at an
   * element, and queue the others.
   */
  readonly users: 'open' | number;
  /** An element's policy with so many requests at work. */
  policyAt(jobs: number): MemberSelectionPolicy;
}

/** The mean speed at which requests are handled, waiting included, as a share of an element's full speed. */
export function handlingSpeed(options: QueueingOptions): number {
  const random = seededRandom(options.seed);
  const exponential = (): number => -Math.log(1 - random.uniform());
  const space = handlespace({ random });
  const elements = Array.from({ length: elementCount }, () => new Element());
  const register = (index: number): void => {
    const policy = options.policyAt((elements[index] as Element).jobs.length);
    space.register('pool', element(index + 1, { policy }), { now: 0 });
  };
  for (let index = 0; index < elementCount; index++) register(index);

  const queues: Job[][] = Array.from({ length: options.users === 'open' ? 0 : options.users }, () => []);
  const start = (job: Job, now: number): void => {
    const [chosen] = space.resolve('pool', 1)?.elements ?? [];
    const index = (chosen?.identifier ?? 0) - 1;
    (elements[index] as Element).begin(job, now);
    register(index);
  };
  const arrive = (now: number): void => {
    const user = queues.length === 0 ? -1 : Math.floor(random.uniform() * queues.length);
    const job = { size: exponential(), arrivedAt: now, doneAt: 0, user };
    const queue = queues[user];
    queue?.push(job);
    if (queue === undefined || queue.length === 1) start(job, now);
  };

  let nextArrival = 0;
  let completed = 0;
  let work = 0;
  let time = 0;
  const warmUp = options.requests / 10;
  while (completed < options.requests + warmUp) {
    let index = 0;
    let now = Number.POSITIVE_INFINITY;
    for (let i = 0; i < elementCount; i++) {
      const at = (elements[i] as Element).nextCompletion();
      if (at < now) {
        now = at;
        index = i;
      }
    }
    if (nextArrival <= now) {
      arrive(nextArrival);
      nextArrival += exponential() / (utilization * elementCount);
      continue;
    }
    const job = (elements[index] as Element).complete(now);
    register(index);
    if (++completed > warmUp) {
      work += job.size;
      time += now - job.arrivedAt;
    }
    const queue = queues[job.user];
    queue?.shift();
    const next = queue?.[0];
    if (next !== undefined) start(next, now);
  }
  return work / time;
}
