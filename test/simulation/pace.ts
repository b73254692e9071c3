/** How long a session's application waits before it sends more. */

import type { Dice } from './dice.js';
import { activeTime, idlerQuota, type Scenario } from './scenario.js';

/** Milliseconds; `quota`: the messages that it sends in all. */
export function pauseBetweenBursts(dice: Dice, scenario: Scenario, quota: number): number {
  if (quota <= idlerQuota) return dice.between(2000, 20_000);
  // Three of ten requests cause another message by themselves.
  const burst = Math.min((1 + scenario.burst) / 2, scenario.outstanding);
  const pause = Math.min(1000, (activeTime * 0.7 * burst) / quota);
  return dice.chance((scenario.lulls * burst) / quota) ? dice.between(2000, 6000) : dice.pause(pause);
}
