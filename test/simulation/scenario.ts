/** What a seed decides before anything runs: how large the world is, how it is configured, how hard it is treated. */

import { type TcpMappingOptions, tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { Dice } from './dice.js';

export interface Scenario {
  readonly seed: number;
  /** Without faults nothing at all may fail over. */
  readonly control: boolean;
  readonly elements: number;
  readonly users: number;
  readonly sessionsPerUser: number;
  /** Sessions of each user beside those that have next to nothing to do. */
  readonly idlers: number;
  /** Messages that all users send together. */
  readonly messages: number;
  /** Requests that a session keeps waiting at most. */
  readonly outstanding: number;
  readonly burst: number;
  /** Bytes of most messages at most. */
  readonly common: number;
  /** Share of the messages that are large. */
  readonly large: number;
  readonly largest: number;
  /** Bytes of the longest of all. */
  readonly longest: number;
  /** Share of the executions that fail. */
  readonly failingHandlers: number;
  /** Share of the requests whose answers the session matches itself: `request()`. */
  readonly calls: number;
  /** Share of those calls that are given up. */
  readonly abandoned: number;
  /** Share of the messages that keep an element's application busy for seconds. */
  readonly stalls: number;
  /** Share of the messages that are to be sent to one element only. */
  readonly withoutFailover: number;
  /** Share of the messages that may overtake others. */
  readonly unordered: number;
  /** Long silences of each session, more or less. */
  readonly lulls: number;
  /** Share of the sessions that are destroyed in the end, whatever is under way. */
  readonly destroyed: number;
  readonly fragment: boolean;
  /** Milliseconds one way. */
  readonly latency: number;
  readonly receiveBuffer: number;
  readonly mapping: TcpMappingOptions;
  /** Mean milliseconds between two faults. */
  readonly faultPause: number;
  readonly cookies: boolean;
  /** How elements seal their cookies; undefined: not at all. */
  readonly cookieProtection: 'signed' | 'encrypted' | undefined;
  /** Elements and users send business cards. */
  readonly cards: boolean;
  /** Element handlers acknowledge by themselves, when they have come to their end. */
  readonly manual: boolean;
  /** Share of the executions at which the element's application destroys the session. */
  readonly elementDestroys: number;
  readonly failoverCallback: 'none' | 'returns' | 'promises';
  /** Milliseconds that a registration lives. */
  readonly registrationLife: number;
}

/** Messages that an idler sends. */
export const idlerQuota = 3;

/** Virtual milliseconds that the faults and the messages last at least. */
export const activeTime = 28_000;

/** Milliseconds within which a way that was closed without a word is noticed in the time of a run, at both sides. */
export const shortPathInterval = 4500;

export function drawScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const small = dice.chance(0.25);
  const mapping = tcpMappingOptions({
    failureTimeout: dice.pick([300, 500, 1000, 1000]),
    heartbeatInterval: dice.pick([400, 1000, 3500]),
    ...(small ? { window: 16 * 1024, highWaterMark: 8 * 1024, longestPayload: 1024 } : {}),
  });
  const control = seed % 20 === 0;
  const common = small && dice.chance(0.5) ? 2500 : 120;
  const large = dice.chance(0.3) ? 0.01 : 0;
  const largest = small ? 12_000 : 150_000;
  return {
    seed,
    control,
    elements: dice.whole(2, 6),
    users: dice.whole(1, 4),
    sessionsPerUser: dice.whole(1, 2),
    messages: dice.whole(2600, 4200),
    outstanding: dice.whole(3, 40),
    burst: dice.whole(1, 24),
    common,
    large,
    largest,
    longest: large > 0 ? largest : common,
    failingHandlers: !control && dice.chance(0.3) ? 0.001 : 0,
    calls: dice.pick([0, 0, 0.3, 1]),
    abandoned: dice.chance(0.3) ? 0.01 : 0,
    stalls: dice.chance(0.2) ? 0.003 : 0,
    withoutFailover: dice.chance(0.3) ? 0.05 : 0,
    unordered: dice.chance(0.4) ? 0.3 : 0,
    lulls: dice.chance(0.4) ? 3 : 0,
    destroyed: dice.chance(0.2) ? 0.5 : 0,
    fragment: dice.chance(0.3),
    latency: dice.pick([0.1, 0.1, 1, 5, 20]),
    receiveBuffer: dice.pick([16 * 1024, 256 * 1024, 256 * 1024]),
    faultPause: dice.between(300, 1500),
    cookies: dice.chance(0.5),
    failoverCallback: dice.pick(['none', 'returns', 'promises']),
    registrationLife: dice.pick([4_000, 20_000, 300_000]),
    cookieProtection: dice.pick([undefined, 'signed', 'encrypted']),
    cards: dice.chance(0.4),
    manual: dice.chance(0.3),
    elementDestroys: !control && dice.chance(0.2) ? 0.0005 : 0,
    idlers: dice.pick([0, 3, 8]),
    // Not shared, shared with a way that is asked often enough to be judged, and as it is by default.
    mapping: { ...mapping, pathInterval: dice.pick([0, shortPathInterval, shortPathInterval, 30_000]) },
  };
}
