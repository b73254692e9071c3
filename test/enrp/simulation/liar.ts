/**
 * One seeded run with a peer that lies: honest servers with elements of their own, and a stranger who is let in as a
 * peer and does whatever does harm. At every moment what is kept for it is bounded; within one heartbeat cycle and an
 * audit after it removed or took others' elements they are back at all servers.
 */

import type { PoolElement } from '../../../lib/wire/parameters.js';
import { ownedElement, ScriptedPeer } from '../peers.js';
import { disagreements } from './agreement.js';
import { Cluster, heartbeatCycle } from './cluster.js';

const liarId = 0xffff_ff00;
export const limits = { maxElementsPerPeer: 600, maxPeers: 8, maxChannels: 24, maxBacklog: 200_000 } as const;
/** Below what the liar tells of: a 64th of each is what honest peers need. */
export const registrarLimits = { maxElements: 512, maxElementsPerPool: 512, maxPools: 128 } as const;
const elementCount = 8;
/** From a lie until nothing of it is left: the next presence of the owner, an audit, and what the network takes. */
const repairTime = heartbeatCycle + 200;

export interface LiarOutcome {
  readonly wrong: readonly string[];
  /** How often it told each lie. */
  readonly lies: Readonly<Record<string, number>>;
  /** The longest that an element was missing or misnamed anywhere, in milliseconds. */
  readonly longest: number;
}

export function runLiar(seed: number): LiarOutcome {
  const cluster = new Cluster(seed, 3, limits, registrarLimits);
  const { random } = cluster;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.uniform() * items.length)] as Item;
  for (const address of cluster.registrarAddresses) cluster.startRegistrar(address);
  cluster.run(4_000);
  for (let i = 1; i <= elementCount; i++) cluster.startElement(`10.0.1.${i}`, pick(['alpha', 'beta']), 0);
  cluster.run(2_000);
  const before = disagreements(cluster);
  if (before.length > 0) return { wrong: ['before any lie', ...before], lies: {}, longest: 0 };

  const liar = new ScriptedPeer(cluster, '10.0.9.9', liarId);
  for (const address of cluster.registrarAddresses) liar.connect(address);
  const tell = (message: Parameters<ScriptedPeer['send']>[0]): void => {
    liar.process.dispatch('input', () => {
      for (const channel of liar.channels) channel.send(message);
    });
  };
  const beat = (): void => {
    tell(liar.presence());
    liar.process.clock.setTimeout(beat, 400);
  };
  liar.process.dispatch('input', beat);
  cluster.run(500);

  let junk = 0;
  const endless = { on: false };
  liar.onMessage = (message, channel) => {
    if (!endless.on || message.type !== 'handleTableRequest') return;
    const poolElements = Array.from({ length: 50 }, () => ownedElement(++junk + 1_000_000, liarId));
    const envelope = { type: 'handleTableResponse', senderId: liarId, receiverId: 0, rejected: false } as const;
    channel.send({ ...envelope, moreToSend: true, poolEntries: [{ poolHandle: 'junk', poolElements }] });
  };
  const victims = (): { poolHandle: string; element: PoolElement }[] =>
    cluster.livingElements().map(({ poolHandle, identifier }) => {
      const userTransport = { type: 'tcp', port: 6, address: '10.0.6.6' } as const;
      return { poolHandle, element: ownedElement(identifier, liarId, { userTransport }) };
    });
  const update = (action: 'addPe' | 'delPe', poolHandle: string, poolElement: PoolElement): void =>
    tell({
      type: 'handleUpdate',
      senderId: liarId,
      receiverId: 0,
      takeoverSuggested: false,
      action,
      poolHandle,
      poolElement,
    });
  /** Those that touch others' elements. */
  const thefts: readonly (() => void)[] = [
    function claimElements() {
      for (const { poolHandle, element } of victims()) update('addPe', poolHandle, element);
    },
    function claimAndRemoveElements() {
      for (const { poolHandle, element } of victims()) {
        update('addPe', poolHandle, element);
        update('delPe', poolHandle, element);
      }
    },
    function removeElements() {
      for (const { poolHandle, element } of victims())
        update('delPe', poolHandle, { ...element, homeServerId: pick(ids()) });
    },
    function listElements() {
      liar.elements = victims().map(({ element }) => element);
      liar.checksum = Math.floor(random.uniform() * 0xffff);
    },
    function takeOver() {
      for (const targetId of ids()) {
        tell({ type: 'initTakeover', senderId: liarId, receiverId: 0, targetId });
        tell({ type: 'takeoverServer', senderId: liarId, receiverId: 0, targetId });
      }
      for (const { poolHandle, element } of victims()) update('delPe', poolHandle, element);
    },
  ];
  /** Those that make work or cost memory; told all the time. */
  const nuisances: readonly (() => void)[] = [
    function wrongChecksum() {
      liar.checksum = Math.floor(random.uniform() * 0x10000);
      for (let i = 0; i < 20; i++) tell(liar.presence(true));
    },
    function announceWithoutEnd() {
      const handle = pick([() => 'alpha', () => 'beta', () => `junk ${junk}`]);
      for (let i = 0; i < 200; i++) update('addPe', handle(), ownedElement(++junk + 1_000_000, liarId));
    },
    function tableWithoutEnd() {
      endless.on = !endless.on;
      liar.polite = !endless.on;
    },
    function askForTables() {
      for (let i = 0; i < 20; i++)
        tell({ type: 'handleTableRequest', senderId: liarId, receiverId: 0, ownChildrenOnly: i % 2 === 0 });
    },
    function comeAgain() {
      liar.connect(pick(cluster.registrarAddresses));
    },
    function readNothing() {
      liar.process.dispatch('input', () => pick(liar.streams).pause());
    },
  ];
  const ids = (): number[] => cluster.livingRegistrars().map(({ registrar }) => registrar.serverId);

  const wrong: string[] = [];
  const lies: Record<string, number> = {};
  let longest = 0;
  let stolenAt = Number.NEGATIVE_INFINITY;
  const end = cluster.now + 15_000;
  while (cluster.now < end && wrong.length === 0) {
    const mayS = cluster.now - stolenAt >= repairTime + 100;
    const lie = mayS && random.uniform() < 0.5 ? pick(thefts) : pick(nuisances);
    if (thefts.includes(lie)) stolenAt = cluster.now;
    lies[lie.name] = (lies[lie.name] ?? 0) + 1;
    lie();
    cluster.run(10 + random.uniform() * 90);
    const stolen = missing(cluster);
    if (stolen.length > 0) {
      longest = Math.max(longest, cluster.now - stolenAt);
      if (cluster.now - stolenAt > repairTime)
        wrong.push(`${(cluster.now - stolenAt).toFixed(0)} ms after the lie`, ...stolen);
    }
    wrong.push(...excess(cluster));
  }
  liar.process.kill();
  // It is dead, and what it owned with it.
  cluster.run(5 * heartbeatCycle);
  wrong.push(...disagreements(cluster));
  return { wrong, lies, longest };
}

/** The elements that a server does not have as they are. */
function missing(cluster: Cluster): string[] {
  const wrong: string[] = [];
  for (const { registrar, address } of cluster.livingRegistrars()) {
    for (const { poolHandle, identifier, address: host } of cluster.livingElements()) {
      const transport = registrar.handlespace.entry(poolHandle, identifier)?.element.userTransport;
      if (transport === undefined) wrong.push(`${address} lacks ${poolHandle}/${identifier}`);
      else if (transport.type !== 'tcp' || transport.address !== host)
        wrong.push(`${address} has ${poolHandle}/${identifier} elsewhere`);
    }
  }
  return wrong;
}

/** What is kept beyond the limits. */
function excess(cluster: Cluster): string[] {
  const wrong: string[] = [];
  for (const { registrar, address } of cluster.livingRegistrars()) {
    const { elementCount: elements, poolCount: pools } = registrar.handlespace;
    const connections = registrar.enrp?.stats.connections ?? 0;
    const peers = registrar.enrp?.peers.length ?? 0;
    if (elements > registrarLimits.maxElements + 2 * elementCount) wrong.push(`${address} keeps ${elements} elements`);
    if (pools > registrarLimits.maxPools + 4) wrong.push(`${address} keeps ${pools} pools`);
    if (connections > limits.maxChannels) wrong.push(`${address} has ${connections} connections`);
    if (peers > limits.maxPeers) wrong.push(`${address} has ${peers} peers`);
  }
  return wrong;
}
