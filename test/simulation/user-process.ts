/** A simulated pool user: a process with an operational scope and some sessions. */

import { OperationalScope } from '../../lib/asap/scope.js';
import { poolAccess } from '../../lib/net/pool-access.js';
import type { PoolAccess } from '../../lib/session/pool-access.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { poolName, registrarAddress, type World } from './world.js';

export class UserProcess {
  readonly world: World;
  readonly process: MemoryProcess;
  readonly scope: OperationalScope;
  /** Elements that one of its sessions has left, or could not reach. */
  readonly tainted: Set<number> = new Set();

  constructor(world: World, host: string, name: string) {
    this.world = world;
    this.process = world.network.spawn(host, name);
    const { clock, transport } = this.process;
    this.scope = new OperationalScope({
      registrars: [registrarAddress],
      clock,
      random: world.network.random,
      transports: { stream: transport },
    });
  }

  get name(): string {
    return this.process.name;
  }

  get address(): string {
    return this.process.address;
  }

  /** The pool as a session of this process sees it. */
  access(): PoolAccess {
    return poolAccess(this.scope, poolName, this.world.scenario.mapping, false);
  }

  close(): void {
    this.process.dispatch('input', () => this.scope.close());
  }
}
