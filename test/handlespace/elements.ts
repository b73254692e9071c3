import { Handlespace, type HandlespaceOptions } from '../../lib/handlespace/handlespace.js';
import { seededRandom } from '../../lib/random.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

/** The server whose handlespace is tested. */
export const self = 0x0a0a0a0a;

export function element(identifier: number, changes: Partial<PoolElement> = {}): PoolElement {
  return {
    identifier,
    homeServerId: self,
    registrationLife: 60,
    userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
    ...changes,
  };
}

export function handlespace(options: Partial<HandlespaceOptions> = {}): Handlespace {
  return new Handlespace({ random: seededRandom(1), ...options });
}

export function answer(space: Handlespace, poolHandle: string, wanted?: number): number[] | undefined {
  return space.resolve(poolHandle, wanted)?.elements.map((each) => each.identifier);
}

export function expiryOf(space: Handlespace, poolHandle: string, identifier: number): number | undefined {
  const entry = space.entry(poolHandle, identifier);
  return entry && space.expiresAt(entry);
}
