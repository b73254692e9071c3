/** What applications say of business cards, and what becomes of it (RFC 5352 section 3.9). */

import { invalidArgumentType, invalidArgumentValue } from '../arguments.js';
import { type BusinessCard, encodeBusinessCard } from '../session/business-card.js';
import type { PoolElement } from '../wire/parameters.js';

/** A server, as a user in the same process needs it: whose user it is. */
export interface CardHolder {
  /** The card of a user that is this element too, which the far side sees at `host`; undefined while it does not listen. */
  userCard(host: string): BusinessCard | undefined;
  /** Calls `listener` when the card has changed, until the function that it returns is called. */
  whenCardChanges(listener: () => void): () => void;
}

/** A `server` option; throws Node's argument errors. */
export function checkCardHolder(given: unknown): CardHolder {
  const holder = given as Partial<CardHolder> | null;
  if (typeof holder === 'object' && typeof holder?.userCard === 'function') return holder as CardHolder;
  throw invalidArgumentType('options.server', 'an instance of Server', given);
}

/** The card with these elements; throws Node's argument errors for what is no list of elements or does not fit a message. */
export function checkBusinessCard(poolHandle: string, elements: unknown): BusinessCard {
  if (!Array.isArray(elements)) throw invalidArgumentType('elements', 'an instance of Array', elements);
  const card = { poolHandle, elements: [...elements] as PoolElement[] };
  try {
    if (card.elements.length > 0) encodeBusinessCard(card);
  } catch (cause) {
    const reason = `must be pool elements that fit one message (${(cause as Error).message})`;
    throw invalidArgumentValue('elements', elements, reason);
  }
  return card;
}
