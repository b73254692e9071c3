/**
 * The guard: says of any bytes whether they are an SCTP packet that a stack can be given without coming to harm
 * (RFC 9260 section 3, over UDP RFC 6951). It stands between the network and a stack that trusts what it reads.
 */

import type { AssociationGuard } from './association-guard.js';
import { checkChunks } from './chunk-list.js';
import { checkCommonHeader } from './common-header.js';
import { defaultGuardOptions, type GuardOptions } from './guard-options.js';
import { PacketReader } from './packet-reader.js';
import { pass, type Verdict } from './verdict.js';

/**
 * Judges one packet: the common header and all behind it (over UDP, the payload). Never throws, whatever the bytes;
 * takes at most 8 steps a byte (see StepCounter); allocates the same few small objects for every packet and keeps
 * nothing of it. With `association`, also what only that association can know; judging never changes it, so the same
 * packet is judged the same until the stack has sent something. `options` come from `guardOptions`.
 */
export function guardPacket(
  packet: Uint8Array,
  association?: AssociationGuard,
  options: GuardOptions = defaultGuardOptions,
): Verdict {
  const reader = new PacketReader(packet, options);
  const sound = checkCommonHeader(reader) && checkChunks(reader) && (association?.check(reader) ?? true);
  if (options.counter !== undefined) options.counter.steps += reader.steps;
  return sound || reader.fault === undefined ? pass : reader.fault;
}
