/** The processes that all sessions of an operational scope know together. */

import type { OperationalScope } from '../asap/scope.js';
import { PeerProcesses } from '../mapping/tcp/peer-processes.js';

const known = new WeakMap<OperationalScope, PeerProcesses>();

/** Always the same for a scope. */
export function peerProcesses(scope: OperationalScope): PeerProcesses {
  let processes = known.get(scope);
  if (processes === undefined) {
    processes = new PeerProcesses(scope.clock, scope.random);
    known.set(scope, processes);
  }
  return processes;
}
