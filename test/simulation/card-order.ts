/** Judges whether a session that looks for another element follows the business card of the last one. */

import type { BusinessCard } from '../../lib/session/business-card.js';
import type { Scenario } from './scenario.js';
import { userIdentifier } from './world.js';

/** The card of a user's session that is an element too, if such are sent. */
export function userCard(scenario: Scenario, session: number, address: string): (() => BusinessCard) | undefined {
  if (!scenario.cards) return undefined;
  const userTransport = { type: 'tcp', address, port: 7000 } as const;
  const { registrationLife } = scenario;
  const element = { identifier: userIdentifier(session), homeServerId: 0, registrationLife, userTransport };
  return () => ({ poolHandle: 'users', elements: [{ ...element, policy: { type: 'roundRobin' } }] });
}

export class CardOrder {
  /** Elements that sessions of the same process have left, or could not reach: these may be passed over. */
  readonly #tainted: ReadonlySet<number>;
  readonly #fail: (reason: string) => never;
  #recommended: readonly number[] = [];

  constructor(tainted: ReadonlySet<number>, fail: (reason: string) => never) {
    this.#tainted = tainted;
    this.#fail = fail;
  }

  /** A card came. */
  received(card: BusinessCard): void {
    this.#recommended = card.elements.map(({ identifier }) => identifier);
  }

  /** The session dials an element: the first that is recommended, but for those that may be passed over. */
  judge(element: number): void {
    const first = this.#recommended.findIndex((one) => !this.#tainted.has(one));
    if (first < 0 || this.#recommended.slice(0, first + 1).includes(element)) return;
    this.#fail(`dials ${element}, though its element recommended ${this.#recommended.join(', ')}`);
  }

  /** How many elements it may try because of a card that knew nothing newer. */
  get length(): number {
    return this.#recommended.length;
  }
}
