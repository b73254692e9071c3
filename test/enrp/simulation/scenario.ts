/**
 * One seeded run: a cluster, faults for a while, then peace, in which all must come to agree; then one element and one
 * registrar fail, and all must be as it should in the times that docs/registrars.md promises.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { disagreements } from './agreement.js';
import { Cluster, heartbeatCycle, type RegistrarProcess } from './cluster.js';

export interface Outcome {
  readonly trace: readonly string[];
  readonly resolutions: number;
  /** Takeovers, counted at each server that learns of one. */
  readonly takeovers: number;
  /** How many of each kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Milliseconds of virtual time that it all took. */
  readonly time: number;
  /** From the end of the last fault until all agreed for good; undefined: they never did. */
  readonly agreedAfter: number | undefined;
  /** What was wrong at the end; empty if nothing was. */
  readonly wrong: readonly string[];
  /** From the failure of the last registrar until all was well again. */
  readonly recoveredAfter: number | undefined;
}

const pools = ['alpha', 'beta', 'gamma'];
/** How long faults go on, and how long they may be felt. */
const faultTime = 9_000;
/**
 * A dead server is noticed after MAX-TIME-LAST-HEARD (2,033) and MAX-TIME-NO-RESPONSE (500), once more if the one that
 * took it over was cut off too; elements that were held back come by themselves after 3,000; a keep-alive finds a dead
 * element within 2,000; then one heartbeat cycle and an audit.
 */
export const peaceTime: number = 12 * heartbeatCycle;

/** Runs a seed; the same one always goes the same way. */
export function runScenario(seed: number): Outcome {
  let takeovers = 0;
  const onTakeover = (): void => void takeovers++;
  subscribe('rserpool:enrp:takeover-completed', onTakeover);
  try {
    return { ...runCluster(seed), takeovers };
  } finally {
    unsubscribe('rserpool:enrp:takeover-completed', onTakeover);
  }
}

function runCluster(seed: number): Omit<Outcome, 'takeovers'> {
  const registrars = 2 + (seed % 6);
  const cluster = new Cluster(seed, registrars);
  const { random, network } = cluster;
  const chance = (probability: number): boolean => random.uniform() < probability;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.uniform() * items.length)] as Item;
  const after = (delay: number, run: () => void): void => void network.time.schedule(delay, run);

  for (const address of cluster.registrarAddresses)
    after(random.uniform() * 500, () => cluster.startRegistrar(address));
  cluster.run(4_000);
  const machines = Array.from({ length: 4 + Math.floor(random.uniform() * 8) }, (_, i) => `10.0.1.${i + 1}`);
  const startElement = (address: string): void => {
    cluster.startElement(address, pick(pools), chance(0.5) ? 3_000 : 0);
  };
  for (const address of machines) startElement(address);
  cluster.startUser('10.0.2.1', pools);
  cluster.startUser('10.0.2.2', pools);
  cluster.run(2_000);

  const start = cluster.now;
  const until = start + faultTime;
  /** Undone by `until` at the latest. */
  const forAWhile = (longest: number, undo: () => void): void => {
    after(Math.min(random.uniform() * longest, until - cluster.now), undo);
  };
  const faults: readonly (() => void)[] = [
    function killRegistrar() {
      const victim = pick(cluster.livingRegistrars());
      if (victim === undefined) return;
      cluster.note(`kill ${victim.address}`);
      victim.process.kill();
      forAWhile(5_000, () => cluster.startRegistrar(victim.address));
    },
    function freezeRegistrar() {
      const { process, address } = pick([...cluster.registrars.values()]);
      if (process.state !== 'running') return;
      cluster.note(`freeze ${address}`);
      process.freeze();
      forAWhile(5_000, () => {
        cluster.note(`thaw ${address}`);
        process.thaw();
      });
    },
    function partition() {
      const all = [...cluster.registrarAddresses, ...machines];
      const aside = all.filter(() => chance(0.4));
      const others = all.filter((machine) => !aside.includes(machine));
      cluster.note(`cut ${aside.join()} off`);
      for (const a of aside) for (const b of others) network.cut(a, b);
      forAWhile(5_000, () => {
        cluster.note(`join ${aside.join()}`);
        for (const a of aside) for (const b of others) network.join(a, b);
      });
    },
    function cutTwoRegistrars() {
      const a = pick(cluster.registrarAddresses);
      const b = pick(cluster.registrarAddresses);
      if (a === b) return;
      cluster.note(`cut ${a} and ${b}`);
      network.cut(a, b);
      forAWhile(5_000, () => {
        cluster.note(`join ${a} and ${b}`);
        network.join(a, b);
      });
    },
    function loseSegments() {
      network.intercept = () => (chance(0.05) ? 'lose' : 'deliver');
      forAWhile(4_000, () => {
        network.intercept = undefined;
      });
    },
    function changeLoad() {
      const element = pick(cluster.livingElements());
      if (element !== undefined) cluster.changeLoad(element, 1 + Math.floor(random.uniform() * 0xffff));
    },
    function killElement() {
      const victim = pick(cluster.livingElements());
      if (victim === undefined) return;
      cluster.note(`kill ${victim.address}`);
      victim.process.kill();
      forAWhile(4_000, () => startElement(victim.address));
    },
  ];
  const counts: Record<string, number> = {};
  while (cluster.now < until - 500) {
    const fault = pick(faults);
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    fault();
    cluster.run(Math.min(random.uniform() * 2_000, until - cluster.now));
  }
  cluster.run(until - cluster.now);
  for (const a of [...cluster.registrarAddresses, ...machines]) {
    for (const b of [...cluster.registrarAddresses, ...machines]) if (a < b) network.join(a, b);
  }
  network.intercept = undefined;
  cluster.note('peace');
  const { agreedAfter, wrong } = settle(cluster);
  const facts = { trace: cluster.trace, faults: counts, agreedAfter };
  const ended = (): Pick<Outcome, 'resolutions' | 'time'> => ({ resolutions: cluster.resolutions, time: cluster.now });
  if (agreedAfter === undefined) return { ...facts, ...ended(), wrong, recoveredAfter: undefined };
  const element = pick(cluster.livingElements());
  const registrar = pick(cluster.livingRegistrars());
  const failures = failOneByOne(cluster, element.address, registrar, chance(0.5) ? 'kill' : 'freeze');
  return { ...facts, ...ended(), ...failures };
}

function failOneByOne(
  cluster: Cluster,
  element: string,
  registrar: RegistrarProcess,
  how: 'kill' | 'freeze',
): Pick<Outcome, 'wrong' | 'recoveredAfter'> {
  cluster.note(`kill ${element}`);
  cluster.elements.get(element)?.process.kill();
  cluster.run(100);
  const wrong = disagreements(cluster);
  if (wrong.length > 0) return { wrong: ['100 ms after an element died', ...wrong], recoveredAfter: undefined };
  cluster.note(`${how} ${registrar.address}`);
  const takenOverBy: string[] = [];
  const onTakeover = (facts: unknown): void => void takenOverBy.push((facts as { by: string }).by);
  subscribe('rserpool:enrp:takeover-completed', onTakeover);
  registrar.process[how]();
  const recovered = recovery(cluster, registrar.registrar.serverId);
  unsubscribe('rserpool:enrp:takeover-completed', onTakeover);
  if (new Set(takenOverBy).size > 1) recovered.wrong.push(`taken over by ${takenOverBy.join()}`);
  return recovered;
}

/** Within three heartbeat cycles the elements have another home; within one more all agree. */
function recovery(cluster: Cluster, serverId: number): { wrong: string[]; recoveredAfter: number | undefined } {
  const start = cluster.now;
  let recoveredAfter: number | undefined;
  let wrong: string[] = [];
  while (cluster.now - start < 4 * heartbeatCycle) {
    cluster.run(50);
    wrong = disagreements(cluster);
    if (wrong.length > 0) recoveredAfter = undefined;
    else recoveredAfter ??= cluster.now - start;
    if (cluster.now - start < 3 * heartbeatCycle) continue;
    for (const { registrar, address } of cluster.livingRegistrars()) {
      if (registrar.handlespace.owned(serverId).size > 0) return { wrong: [`${address}: no takeover`], recoveredAfter };
    }
  }
  return { wrong, recoveredAfter };
}

/** Agreement counts when it has lasted for three heartbeat cycles. */
function settle(cluster: Cluster): Pick<Outcome, 'agreedAfter' | 'wrong'> {
  const start = cluster.now;
  let agreedAfter: number | undefined;
  let wrong: string[] = [];
  while (cluster.now - start < peaceTime && cluster.now - start < (agreedAfter ?? peaceTime) + 3 * heartbeatCycle) {
    cluster.run(agreedAfter === undefined ? 100 : 500);
    wrong = disagreements(cluster);
    if (wrong.length > 0) agreedAfter = undefined;
    else agreedAfter ??= cluster.now - start;
  }
  return { agreedAfter, wrong };
}
