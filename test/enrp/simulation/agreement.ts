/** What must hold when all faults are over and time has passed. */

import type { Cluster } from './cluster.js';

/** What is wrong at this instant; empty if nothing is. */
export function disagreements(cluster: Cluster): string[] {
  const wrong: string[] = [];
  const registrars = cluster.livingRegistrars();
  const serverIds = new Set(registrars.map(({ registrar }) => registrar.serverId));
  const living = new Map(
    cluster.livingElements().map((element) => [`${element.poolHandle}/${element.identifier}`, element]),
  );
  let reference: string | undefined;
  for (const { registrar, address } of registrars) {
    if (registrar.enrp?.ready !== true) wrong.push(`${address} is not ready`);
    const view: string[] = [];
    for (const pool of registrar.handlespace.pools()) {
      for (const entry of pool.entries()) {
        const name = `${pool.poolHandle}/${entry.identifier}`;
        view.push(`${name}@${entry.owner}`);
        const element = living.get(name);
        const { policy } = entry.element;
        if (element === undefined) wrong.push(`${address} has the dead ${name}`);
        else if (policy?.type !== 'leastUsed' || policy.load !== element.load)
          wrong.push(`${address}: load of ${name}`);
        if (!serverIds.has(entry.owner)) wrong.push(`${address}: ${name} belongs to nobody: ${entry.owner}`);
        if (entry.suspended) wrong.push(`${address}: ${name} is suspended`);
      }
    }
    if (new Set(view).size !== living.size) wrong.push(`${address} has ${view.length} of ${living.size} elements`);
    view.sort();
    for (const owner of [...serverIds].sort()) view.push(`checksum ${owner}: ${registrar.handlespace.checksum(owner)}`);
    reference ??= view.join();
    if (view.join() !== reference) wrong.push(`${address} differs from ${registrars[0]?.address}`);
    for (const peer of registrar.enrp?.peers ?? []) {
      if (!serverIds.has(peer.serverId)) wrong.push(`${address} has the dead peer ${peer.serverId}`);
    }
    if (registrar.enrp?.peers.length !== registrars.length - 1) wrong.push(`${address} does not know all peers`);
  }
  return wrong;
}
