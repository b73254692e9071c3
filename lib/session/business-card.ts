/**
 * Business cards (RFC 5352 section 3.9): an element tells its user in which order to try others should it fail; a user
 * that is an element too tells whose it is, so that it can be called back or replaced.
 */

import { encodeAsap } from '../wire/asap.js';
import type { BusinessCard as BusinessCardMessage } from '../wire/messages.js';
import type { PoolElement } from '../wire/parameters.js';
import { poolHandleText, toPoolHandle } from '../wire/pool-handle.js';

export interface BusinessCard {
  /** The pool of its sender. */
  readonly poolHandle: string;
  /** At least one; the first is to be tried first. */
  readonly elements: readonly PoolElement[];
}

/** Elements of a card that are kept; it could have many more than anybody will try. */
const mostElements = 64;

/** The ASAP message; throws for elements that the wire cannot carry. */
export function encodeBusinessCard(card: BusinessCard): Uint8Array {
  const poolHandle = toPoolHandle(card.poolHandle);
  return encodeAsap({ type: 'businessCard', poolHandle, poolElements: card.elements });
}

/** The card that came. */
export function receivedBusinessCard(message: BusinessCardMessage): BusinessCard {
  return Object.freeze({
    poolHandle: poolHandleText(message.poolHandle),
    elements: Object.freeze(message.poolElements.slice(0, mostElements)),
  });
}
