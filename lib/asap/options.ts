/** Timers, variables and thresholds of an ASAP endpoint (RFC 5352 section 7), in milliseconds, with their defaults. */

import { checkInteger, checkMilliseconds, checkNumbers } from '../arguments.js';
import { type AsapChannelLimits, defaultAsapChannelLimits } from './asap-channel.js';

export interface AsapTimers {
  /** T1-ENRPrequest: a resolution is sent again and another registrar looked for. Default: 15,000. */
  readonly requestTimeout: number;
  /** T2-registration. Default: 30,000. */
  readonly registrationTimeout: number;
  /** T3-deregistration. Default: 30,000. */
  readonly deregistrationTimeout: number;
  /** The most of T4-reregistration, see `reregistrationInterval`. Default: 600,000. */
  readonly maxReregistrationInterval: number;
  /** T5-Serverhunt: how long a round of connecting may take; doubles with each round that runs out. Default: 10,000. */
  readonly huntTimeout: number;
  /** RETRAN.max: the most that T5 grows to. Default: 60,000. */
  readonly maxHuntTimeout: number;
  /** MAX-REG-ATTEMPT: registrations without an answer before the user is told. Default: 2. */
  readonly maxRegistrationAttempts: number;
  /** MAX-REQUEST-RETRANSMIT: how often a resolution without an answer is sent again. Default: 2. */
  readonly maxRequestRetransmits: number;
  /** stale.cache.value: how long an answer is used without asking again; 0: always ask. Default: 1,000. */
  readonly staleCacheValue: number;
  /** How long an answer is kept for use while no registrar can be reached. Default: 60,000. */
  readonly cacheLifetime: number;
  /** The first wait after a hunt that every registrar refused at once; doubles to `maxHuntBackoff`. Default: 100. */
  readonly huntBackoff: number;
  /** Default: 2,000. */
  readonly maxHuntBackoff: number;
  /** How long into a hunt the registrars that recently left a request unanswered are tried as well. Default: 1,000. */
  readonly suspectDelay: number;
  /** The least time between two Endpoint Unreachable reports about one element (RFC 5352 section 9.2). Default: 1,000. */
  readonly reportInterval: number;
  /** How long a reported element counts as suspected, since a registrar may not know yet. Default: 2,000. */
  readonly suspicionTime: number;
  /** The first wait before an unknown pool is asked for again; doubles to `maxPollInterval`. Default: 100. */
  readonly pollInterval: number;
  /** Default: 2,000. */
  readonly maxPollInterval: number;
  /** How many elements an answer should hold (Handle Resolution option 0x803f). Default: 32. */
  readonly elementsWanted: number;
  /** ASAP channels that may be open at the advertised address at a time. Default: 16. */
  readonly maxAcceptedChannels: number;
  /** T7-ENRPoutdate: how long a registrar's announcement counts. Default: 5,000. */
  readonly announcementLifetime: number;
  /** Announced addresses of registrars that are kept; further ones are ignored meanwhile. Default: 64. */
  readonly maxAnnouncedServers: number;
}

export const defaultAsapTimers: AsapTimers = {
  requestTimeout: 15_000,
  registrationTimeout: 30_000,
  deregistrationTimeout: 30_000,
  maxReregistrationInterval: 600_000,
  huntTimeout: 10_000,
  maxHuntTimeout: 60_000,
  maxRegistrationAttempts: 2,
  maxRequestRetransmits: 2,
  staleCacheValue: 1_000,
  cacheLifetime: 60_000,
  huntBackoff: 100,
  maxHuntBackoff: 2_000,
  suspectDelay: 1_000,
  reportInterval: 1_000,
  suspicionTime: 2_000,
  pollInterval: 100,
  maxPollInterval: 2_000,
  elementsWanted: 32,
  maxAcceptedChannels: 16,
  announcementLifetime: 5_000,
  maxAnnouncedServers: 64,
};

/** Whole numbers, and the least that makes sense; the others are times. */
const leastCounts: Partial<Record<keyof AsapTimers, number>> = {
  maxRegistrationAttempts: 1,
  maxRequestRetransmits: 0,
  elementsWanted: 0,
  maxAcceptedChannels: 0,
  maxAnnouncedServers: 0,
};

/** Times that may be 0; with 0 in another one an endpoint would do the same again and again without a pause. */
const mayBeZero: ReadonlySet<keyof AsapTimers> = new Set([
  'staleCacheValue',
  'cacheLifetime',
  'suspectDelay',
  'reportInterval',
  'suspicionTime',
]);

/** The defaults with `given` over them; throws Node's argument errors for what is no time or count. */
export function asapTimers(given?: Partial<AsapTimers>): AsapTimers {
  return checkNumbers('options.timers', defaultAsapTimers, given, (path, value, name) => {
    const leastCount = leastCounts[name];
    if (leastCount !== undefined) return checkInteger(path, value, leastCount, 0xffffffff);
    return checkMilliseconds(path, value, 'finite', mayBeZero.has(name) ? 0 : 1);
  });
}

/** The defaults with `given` over them; throws Node's argument errors. */
export function asapChannelLimits(given?: Partial<AsapChannelLimits>): AsapChannelLimits {
  return checkNumbers('options.limits', defaultAsapChannelLimits, given, (path, value, name) =>
    checkInteger(path, value, name === 'maxMessageSize' ? 4 : 0),
  );
}

/** A registration life on the wire: whole seconds, rounded up; Infinity is -1 (RFC 5354 section 3.10). */
export function registrationLifeSeconds(life: number): number {
  return life === Number.POSITIVE_INFINITY ? -1 : Math.min(Math.ceil(life / 1000), 0x7fffffff);
}

/**
 * T4-reregistration for a registration life, both in milliseconds: min(10 min, life - 20 s) by RFC 5352 section 7.1.
 * For lives below 40 s that leaves too little, or nothing: those register again at half of their life. So
 * T4 = min(maxReregistrationInterval, max(life - 20,000, life / 2)).
 */
export function reregistrationInterval(life: number, most: number): number {
  return Math.min(most, Math.max(life - 20_000, life / 2));
}
