/** A simulated registrar. */

import { Registrar } from '../../lib/registrar/registrar.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { toPoolHandle } from '../../lib/wire/pool-handle.js';
import { poolName, registrarAddress, type World } from './world.js';

const poolHandle = toPoolHandle(poolName);

export class RegistrarProcess {
  readonly process: MemoryProcess;
  readonly registrar: Registrar;

  constructor(world: World) {
    const { network, trace } = world;
    this.process = network.spawn(registrarAddress.host, 'registrar');
    const { clock, transport } = this.process;
    this.registrar = new Registrar({
      ...registrarAddress,
      clock,
      random: network.random,
      transports: { stream: transport },
    });
    this.registrar.on('error', (error) => world.fail(`the registrar could not listen: ${error.message}`));
    this.registrar.on('change', ({ type, reason, identifier }) =>
      trace.note(`${type} (${reason})`, 'registrar', identifier),
    );
    this.process.dispatch('input', () => void this.registrar.listen());
  }

  /** Whether the pool holds the element. */
  has(identifier: number): boolean {
    return this.registrar.handlespace.entry(poolHandle, identifier) !== undefined;
  }

  get elementCount(): number {
    return this.registrar.handlespace.elementCount;
  }

  close(): void {
    this.process.dispatch('input', () => void this.registrar.close());
  }
}
