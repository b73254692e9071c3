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
  readonly fragment: boolean;
  /** Milliseconds one way. */
  readonly latency: number;
  readonly receiveBuffer: number;
  readonly mapping: TcpMappingOptions;
  /** Mean milliseconds between two faults. */
  readonly faultPause: number;
  readonly cookies: boolean;
  readonly failoverCallback: 'none' | 'returns' | 'promises';
  /** Milliseconds that a registration lives. */
  readonly registrationLife: number;
}

/** Virtual milliseconds that the faults and the messages last at least. */
export const activeTime = 28_000;

export function drawScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const small = dice.chance(0.25);
  const mapping = tcpMappingOptions({
    failureTimeout: dice.pick([300, 500, 1000, 1000]),
    heartbeatInterval: dice.pick([400, 1000, 1500]),
    ...(small ? { window: 16 * 1024, highWaterMark: 8 * 1024, longestPayload: 1024 } : {}),
  });
  return {
    seed,
    control: seed % 20 === 0,
    elements: dice.whole(2, 6),
    users: dice.whole(1, 4),
    sessionsPerUser: dice.whole(1, 2),
    messages: dice.whole(2600, 4200),
    outstanding: dice.whole(1, 40),
    burst: dice.whole(1, 24),
    common: small && dice.chance(0.5) ? 2500 : 120,
    large: dice.chance(0.3) ? 0.01 : 0,
    largest: small ? 12_000 : 150_000,
    fragment: dice.chance(0.3),
    latency: dice.pick([0.1, 0.1, 1, 5, 20]),
    receiveBuffer: dice.pick([16 * 1024, 256 * 1024, 256 * 1024]),
    mapping,
    faultPause: dice.between(300, 1500),
    cookies: dice.chance(0.5),
    failoverCallback: dice.pick(['none', 'returns', 'promises']),
    registrationLife: dice.pick([4_000, 20_000, 300_000]),
  };
}
