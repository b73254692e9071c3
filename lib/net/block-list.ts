/** Net's `blockList` option, which Node has from 22.13 on: here it works in all versions, and on what a pool names. */

import { BlockList, isIP } from 'node:net';
import { invalidArgumentType } from '../arguments.js';
import type { Picker } from '../policy/member-policy.js';

/** The option, or Node's ERR_INVALID_ARG_TYPE. */
export function checkBlockList(given: unknown): BlockList | undefined {
  if (given === undefined || given === null) return undefined;
  if (!(given instanceof BlockList)) throw invalidArgumentType('options.blockList', 'an instance of BlockList', given);
  return given;
}

/** Whether the list holds this address; an IPv4 address in IPv6 notation counts as the one that it is. */
export function isBlocked(blockList: BlockList | undefined, address: string | undefined): boolean {
  if (blockList === undefined || address === undefined) return false;
  const family = isIP(address);
  return family !== 0 && blockList.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Net's error for a connection to such an address. */
export function blockedError(address: string): Error {
  return Object.assign(new Error(`IP(${address}) is blocked by net.BlockList`), { code: 'ERR_IP_BLOCKED' });
}

/** Passes over elements, without moving the turn of those who may use them. */
export function without(picker: Picker, blocked: ReadonlySet<number>): Picker {
  return {
    elements: picker.elements.filter(({ identifier }) => !blocked.has(identifier)),
    next: (state, excluded) =>
      picker.next(state, excluded === undefined ? blocked : new Set([...excluded, ...blocked])),
  };
}
