/** Runs one seed from the first process to the last closed stream, and judges it. */

import { Cluster } from './cluster.js';
import { type FaultKind, Faults } from './faults.js';
import { activeTime, drawScenario, type Scenario } from './scenario.js';
import { InvariantError, World } from './world.js';

/** What a run amounted to. */
export interface SimulationResult {
  readonly seed: number;
  readonly hash: string;
  /** Virtual milliseconds. */
  readonly time: number;
  /** Events of the network, clocks and processes. */
  readonly events: number;
  /** Messages that users know to be taken. */
  readonly messages: number;
  readonly failovers: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Failures whose detection was timed. */
  readonly detections: number;
}

/** Virtual milliseconds that sessions may go on after the last fault is over. */
const endTime = 30_000;
/** Virtual milliseconds in which the registrar learns who lives. */
const settleTime = 15_000;

/** Rejects with an error that names seed and time when a promise of the library is broken. */
export async function runSeed(seed: number, print?: (line: string) => void): Promise<SimulationResult> {
  const scenario = drawScenario(seed);
  const world = new World(scenario, print);
  print?.(describe(scenario));
  try {
    return await run(world);
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new InvariantError(`seed ${seed} at ${world.now.toFixed(3)} ms: an exception escaped: ${reason}`);
  }
}

async function run(world: World): Promise<SimulationResult> {
  const cluster = new Cluster(world);
  const faults = new Faults(cluster);
  await actWithFaults(world, cluster, faults);
  faults.healAll();
  await endSessions(world, cluster);
  await settleRegistrar(world, cluster);
  await closeAll(world, cluster);
  const { scenario, ledger, network, trace } = world;
  if (!scenario.control && (faults.total < 5 || faults.kinds < 3)) world.fail('too few faults');
  if (ledger.taken < 2000) world.fail(`only ${ledger.taken} messages were taken`);
  return {
    seed: scenario.seed,
    hash: trace.hash,
    time: world.now,
    events: network.time.executed,
    messages: ledger.taken,
    failovers: cluster.usingSessions.reduce((sum, session) => sum + session.failovers, 0),
    faults: faults.counts,
    detections: cluster.detection.judged,
  };
}

/** Faults come for as long as users send. */
async function actWithFaults(world: World, cluster: Cluster, faults: Faults): Promise<void> {
  const { control } = world.scenario;
  for (;;) {
    const pause = faults.nextPause();
    await world.runUntil(world.now + pause);
    const enough = control || (faults.total >= 5 && faults.kinds >= 3);
    const done = cluster.usingSessions.every((session) => session.isDoneSending);
    if (world.now >= activeTime && enough && (done || world.now >= 5 * activeTime)) return;
    if (!control) faults.strike();
  }
}

async function endSessions(world: World, cluster: Cluster): Promise<void> {
  const limit = world.now + endTime;
  world.isEnding = true;
  const isOpen = (): boolean => cluster.usingSessions.some(({ state }) => state !== 'closed' && state !== 'gone');
  while (isOpen() && world.now < limit) await world.runUntil(world.now + 250);
  for (const { state, error, name, isDestroyedByElement } of cluster.usingSessions) {
    if (state === 'gone' || isDestroyedByElement) continue;
    if (state !== 'closed') world.fail(`${name} is still ${state} ${endTime} ms after the last fault`);
    if (error !== undefined) world.fail(`${name} closed with an error: ${error.stack}`);
  }
}

/** The registrar's table comes to hold exactly the elements that live. */
async function settleRegistrar(world: World, cluster: Cluster): Promise<void> {
  const limit = world.now + settleTime;
  await world.runUntil(world.now + 500);
  const isSettled = (): boolean => {
    const { livingElements, registrar } = cluster;
    return (
      livingElements.length === registrar.elementCount &&
      livingElements.every((element) => registrar.has(element.identifier)) &&
      livingElements.every((element) => element.sessions.size === 0 && !element.isHandingOver)
    );
  };
  while (!isSettled()) {
    if (world.now >= limit) {
      const { livingElements, registrar } = cluster;
      const sessions = livingElements.reduce((sum, element) => sum + element.sessions.size, 0);
      world.fail(
        `the registrar has ${registrar.elementCount} elements, ${livingElements.length} live; ${sessions} sessions are open at them`,
      );
    }
    await world.runUntil(world.now + 250);
  }
}

/** After everything is closed no timer is left, and no stream. */
async function closeAll(world: World, cluster: Cluster): Promise<void> {
  const { livingElements, users, registrar } = cluster;
  let left = 0;
  for (const user of users) user.close();
  for (const element of livingElements) element.leave(() => left++);
  await world.runUntil(world.now + 2000);
  if (left < livingElements.length) world.fail(`${livingElements.length - left} elements could not deregister`);
  if (registrar.elementCount > 0) world.fail(`the registrar still has ${registrar.elementCount} elements`);
  registrar.close();
  await world.runUntil(world.now + 5000);
  for (const { process } of [registrar, ...users, ...cluster.elements.values()]) {
    const { name, state, streams, pendingTimers } = process;
    if (streams.size > 0) world.fail(`${name} has ${streams.size} streams open after the end`);
    if (state !== 'dead' && pendingTimers > 0) world.fail(`${name} has ${pendingTimers} timers running after the end`);
  }
}

function describe(scenario: Scenario): string {
  return JSON.stringify(scenario);
}
