/** Registrars, elements and users as processes, and what is seen of them from outside while registrars are killed. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PoolStatus, RegistrarStatus } from '../../lib/index.js';
import { RegistrarProcess, registrarHosts } from './registrar-process.js';
import type { Report, UserCounts } from './reports.js';

export interface ClusterOptions {
  readonly elements: number;
  readonly users: number;
  /** Milliseconds. */
  readonly heartbeatCycle: number;
}

/** One registrar killed and started again. Times are milliseconds since the kill, or since the start. */
export interface Takeover {
  /** Elements that it owned, and those of them that were held back from moving. */
  readonly owned: number;
  readonly held: number;
  /** Until no survivor lists anything of it, and all elements taken over were heard of. */
  readonly done: number;
  /** From then until the survivors' checksums are equal. */
  readonly equal: number;
  /** Since its start: until all registrars' checksums are equal again. */
  readonly rejoined: number;
  /** What is wrong with the elements as the three list them; empty: each exactly once, with the same home everywhere. */
  readonly faults: readonly string[];
}

const patience = 30_000;

export class Cluster {
  readonly registrars: readonly RegistrarProcess[];
  readonly #options: ClusterOptions;
  readonly #children: ChildProcess[] = [];
  readonly #identifiers = new Set<number>();
  readonly #held = new Set<number>();
  #users: ChildProcess[] = [];

  constructor(options: ClusterOptions) {
    this.#options = options;
    const hosts = registrarHosts(3);
    const words = ['--heartbeat-cycle', `${options.heartbeatCycle}`];
    this.registrars = hosts.map((host) => new RegistrarProcess(host, hosts, words));
  }

  /** Resolves when all elements are registered and all registrars agree. */
  async start(): Promise<void> {
    await Promise.all(this.registrars.map((registrar) => registrar.start()));
    const { elements, users } = this.#options;
    const held = Math.floor(elements / 2);
    for (const identifier of await this.#startElements(elements - held, 'free')) this.#identifiers.add(identifier);
    for (const identifier of await this.#startElements(held, 'held')) {
      this.#identifiers.add(identifier);
      this.#held.add(identifier);
    }
    await this.#until('all agree', async () => this.#agree(await this.#statuses(this.registrars)));
    const processes = users > 50 ? 2 : 1;
    this.#users = Array.from({ length: processes }, () => this.#fork('./users.js', `${users / processes}`));
  }

  /** Ends the users in order; what they have seen. */
  async stopUsers(): Promise<UserCounts[]> {
    return await Promise.all(
      this.#users.map(async (child) => {
        const told = once(child, 'message') as Promise<[Report]>;
        child.send('stop');
        const [what] = await told;
        if (what.type !== 'counts') throw new Error(`unexpected ${what.type}`);
        return what.counts;
      }),
    );
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.registrars.map((registrar) => registrar.kill()));
  }

  async takeOver(target: RegistrarProcess): Promise<Takeover> {
    const dead = target.serverId;
    const survivors = this.registrars.filter((registrar) => registrar !== target);
    const owned = elementsOf(await target.pools()).filter(({ homeServerId }) => homeServerId === dead);
    const killed = performance.now();
    await target.kill();
    let statuses: RegistrarStatus[] = [];
    await this.#until('the takeover is done', async () => {
      statuses = await this.#statuses(survivors);
      return statuses.every((status) => isDone(status, dead, this.#identifiers.size));
    });
    const done = performance.now() - killed;
    await this.#until('the survivors agree', async () => {
      const equal = this.#agree(statuses);
      if (!equal) statuses = await this.#statuses(survivors);
      return equal;
    });
    const equal = performance.now() - killed - done;
    const started = performance.now();
    await target.start();
    await this.#until('all agree', async () => this.#agree(await this.#statuses(this.registrars)));
    return {
      owned: owned.length,
      held: owned.filter(({ identifier }) => this.#held.has(identifier)).length,
      done,
      equal,
      rejoined: performance.now() - started,
      faults: await this.#faults(),
    };
  }

  #fork(file: string, ...args: string[]): ChildProcess {
    const registrars = this.registrars.map(({ host }) => host).join();
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [registrars, ...args]);
    this.#children.push(child);
    return child;
  }

  async #startElements(count: number, kind: 'free' | 'held'): Promise<readonly number[]> {
    const child = this.#fork('./elements.js', `${count}`, kind);
    const [what] = (await once(child, 'message')) as [Report];
    if (what.type !== 'ready') throw new Error(`unexpected ${what.type}`);
    return what.identifiers;
  }

  #statuses(registrars: readonly RegistrarProcess[]): Promise<RegistrarStatus[]> {
    return Promise.all(registrars.map((registrar) => registrar.status()));
  }

  #agree(statuses: readonly RegistrarStatus[]): boolean {
    const [first, ...others] = statuses.map(({ owners }) => JSON.stringify(owners));
    return (
      others.every((owners) => owners === first) &&
      statuses.every(({ stats }) => stats.elements === this.#identifiers.size)
    );
  }

  async #faults(): Promise<string[]> {
    const faults: string[] = [];
    const homes = new Map<number, number>();
    for (const registrar of this.registrars) {
      const elements = elementsOf(await registrar.pools());
      const identifiers = new Set(elements.map(({ identifier }) => identifier));
      const missing = [...this.#identifiers].filter((identifier) => !identifiers.has(identifier));
      if (missing.length > 0) faults.push(`${registrar.host} misses ${missing.length} elements`);
      if (elements.length !== this.#identifiers.size) faults.push(`${registrar.host} has ${elements.length} elements`);
      for (const { identifier, homeServerId } of elements) {
        if ((homes.get(identifier) ?? homeServerId) !== homeServerId) faults.push(`${identifier} has several homes`);
        homes.set(identifier, homeServerId);
      }
    }
    return faults;
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + patience;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`after ${patience} ms it still does not hold that ${what}`);
      await pause(10);
    }
  }
}

function elementsOf(pools: readonly PoolStatus[]): PoolStatus['elements'] {
  return pools.flatMap(({ elements }) => elements);
}

function isDone({ owners, claims, takeovers, stats, peers }: RegistrarStatus, dead: number, elements: number): boolean {
  return (
    claims === 0 &&
    takeovers === 0 &&
    stats.elements === elements &&
    owners.every(({ serverId }) => serverId !== dead) &&
    peers.every(({ serverId }) => serverId !== dead)
  );
}
