import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { RegistrarStatus } from '../../lib/index.js';
import { type Machine, Machines } from './machines.js';

interface Held {
  readonly serverId: number;
  readonly owners: RegistrarStatus['owners'];
  readonly elements: readonly { readonly identifier: number; readonly homeServerId: number }[];
}

interface Started {
  readonly child: ChildProcess;
  readonly lines: Interface;
  readonly first: string;
}

/** Runs a program of this folder on a machine, until it has printed a line. */
async function start({ namespace }: Machine, file: string, ...args: readonly string[]): Promise<Started> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [first] = (await once(lines, 'line')) as [string];
  return { child, lines, first };
}

async function holds({ child, lines }: Started): Promise<Held> {
  const line = once(lines, 'line');
  child.stdin?.write('\n');
  const [text] = (await line) as [string];
  return JSON.parse(text) as Held;
}

function identifiers({ elements }: Held): number[] {
  return elements.map(({ identifier }) => identifier).sort((one, other) => one - other);
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((one, other) => one - other);

/** Two machines with a registrar each and three elements each; what they hold is looked at until it is as it should be. */
class Site {
  readonly machines = new Machines();
  readonly #registrars: Started[] = [];
  readonly elements: { readonly first: number[]; readonly second: number[] } = { first: [], second: [] };

  constructor(t: ExecutionContext) {
    t.teardown(() => this.machines.close());
  }

  async open(): Promise<void> {
    this.machines.open();
    const { first, second } = this.machines;
    for (const machine of [first, second]) {
      this.#registrars.push(await start(machine, './registrar.js', machine.address, first.address, second.address));
    }
    await this.join('first', 3);
    await this.join('second', 3);
    await this.until('both hold everything', ([one, other]) => this.#agree(one, other, this.all()));
  }

  /** New elements on one machine. */
  async join(name: 'first' | 'second', count: number): Promise<void> {
    const machine = this.machines[name];
    const { first, second } = this.machines;
    const { first: line } = await start(
      machine,
      './elements.js',
      machine.address,
      `${first.address},${second.address}`,
      `${count}`,
    );
    this.elements[name].push(...(JSON.parse(line) as number[]));
  }

  all(): number[] {
    return [...this.elements.first, ...this.elements.second];
  }

  async until(what: string, wanted: (held: readonly [Held, Held]) => boolean): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const held = (await Promise.all(this.#registrars.map(holds))) as [Held, Held];
      if (wanted(held)) return;
      await pause(100);
    }
    const held = await Promise.all(this.#registrars.map(holds));
    throw new Error(`it never came to be that ${what}: ${JSON.stringify({ ...this.elements, held })}`);
  }

  /** Both registrars hold these elements, each once and with the same home. */
  async agreeOn(elements: readonly number[]): Promise<void> {
    await this.until('both agree', ([one, other]) => this.#agree(one, other, elements));
  }

  #agree(one: Held, other: Held, elements: readonly number[]): boolean {
    const homes = (held: Held): string =>
      JSON.stringify([...held.elements].sort((a, b) => a.identifier - b.identifier));
    return (
      JSON.stringify(one.owners) === JSON.stringify(other.owners) &&
      JSON.stringify(identifiers(one)) === JSON.stringify(sorted(elements)) &&
      homes(one) === homes(other) &&
      one.elements.every(({ homeServerId }) => homeServerId === one.serverId || homeServerId === other.serverId)
    );
  }
}

function lists(held: Held, elements: readonly number[]): boolean {
  return JSON.stringify(identifiers(held)) === JSON.stringify(sorted(elements));
}

test.serial('machines cut off from each other each serve their own elements, and agree when joined', async (t) => {
  const site = new Site(t);
  await site.open();
  site.machines.cut();
  await site.until(
    'each side has its own elements only',
    ([one, other]) => lists(one, site.elements.first) && lists(other, site.elements.second),
  );
  await site.join('first', 2);
  await site.join('second', 2);
  site.machines.join();
  await t.notThrowsAsync(site.agreeOn(site.all()));
});

test.serial('registrars that only do not hear of each other come to differ, and agree when joined', async (t) => {
  const site = new Site(t);
  await site.open();
  const enrpPort = 9901;
  site.machines.cut(enrpPort);
  // Both take themselves to be the survivor; elements go to the one that calls them last.
  await site.until('they differ', ([one, other]) => JSON.stringify(one.owners) !== JSON.stringify(other.owners));
  await site.join('first', 2);
  site.machines.join();
  await t.notThrowsAsync(site.agreeOn(site.all()));
});
