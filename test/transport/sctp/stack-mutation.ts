/** Hostile packets for a stack with living associations: blind ones, and ones with the right tags. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Random, seededRandom } from '../../../lib/random.js';
import { writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';
import type { TransportAddress } from '../../../lib/transport/transport.js';
import { mutate, type Pick, pickFrom, seedPackets } from './mutation.js';
import { SctpOwner, SctpWorld } from './stack-world.js';

export interface StackMutationResult {
  /** Exceptions of the package that our catch had to stop. */
  readonly caught: readonly string[];
  /** Mutants that the guard let pass to the package. */
  readonly passed: number;
  /** Whether at the end a new association carried a message both ways. */
  readonly serves: boolean;
}

interface Recorded {
  readonly bytes: Uint8Array;
  readonly from: TransportAddress;
  readonly to: TransportAddress;
}

/** An association that has sent and read every kind of chunk that it can, and the packets of both sides. */
function live(world: SctpWorld, random: Random): Recorded[] {
  const recorded: Recorded[] = [];
  world.datagrams.intercept = (bytes, from, to) => {
    recorded.push({ bytes: bytes.slice(), from, to });
    // Some get lost, so that gaps are reported.
    return random.uniform() > 0.1;
  };
  let user: SctpOwner | Error | undefined;
  world.connect((result) => {
    user = result;
  });
  world.run(5000, () => user !== undefined && (user instanceof Error || (world.accepted.at(-1)?.closes ?? 1) === 0));
  const element = world.accepted.at(-1);
  if (user instanceof SctpOwner && element !== undefined) {
    for (let i = 0; i < 12; i++) {
      user.send(random.bytes(1 + ((i * 613) % 4000)), i % 3);
      element.send(random.bytes(1 + ((i * 131) % 3000)), i % 2);
    }
  }
  world.run(3000);
  world.datagrams.intercept = undefined;
  return recorded;
}

/** Throws what escapes from the stack. */
export function mutateStack(rounds: number, seed: number): StackMutationResult {
  const random = seededRandom(seed);
  const pick: Pick = pickFrom(random);
  const world = new SctpWorld({ seed });
  const blind = seedPackets();
  const caught: string[] = [];
  const onFailure = (facts: unknown): void => void caught.push(String((facts as { error: unknown }).error));
  subscribe('rserpool:transport:sctp-failed', onFailure);
  let dropped = 0;
  const onDropped = (): void => void dropped++;
  subscribe('rserpool:transport:sctp-dropped', onDropped);
  let recorded = live(world, random);
  for (let round = 0; round < rounds; round++) {
    const { from, to } = recorded[pick(recorded.length)]!;
    const tagged = pick(4) > 0;
    const packet = mutate(tagged ? recorded.map(({ bytes }) => bytes.subarray(0, 1500)) : blind, pick);
    if (packet.length >= 12 && pick(20) > 0) writeChecksum(packet);
    world.datagrams.inject(packet, from, to);
    if (round % 20 === 0) world.run(5);
    const owner = world.accepted.at(-1);
    if (round % 500 === 499 || owner === undefined || owner.closes > 0) {
      world.run(20);
      recorded = live(world, random);
    }
  }
  world.run(20_000);
  unsubscribe('rserpool:transport:sctp-failed', onFailure);
  unsubscribe('rserpool:transport:sctp-dropped', onDropped);
  const { user, element } = world.open();
  user.send('ping');
  element.send('pong');
  world.run(1000);
  return { caught, passed: rounds - dropped, serves: user.texts.includes('pong') && element.texts.includes('ping') };
}
