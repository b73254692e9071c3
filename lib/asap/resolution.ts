/** What a handle resolution gives (RFC 5352 sections 3.3 and 6.9.1) and how it is asked for. */

import { RserpoolError } from '../errors.js';
import type { HandleResolutionResponse } from '../wire/messages.js';
import { causeName } from '../wire/operation-error.js';
import {
  causeCode,
  type ErrorCause,
  type MemberSelectionPolicy,
  type PoolElement,
  type PoolHandle,
} from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';

/** The elements of a pool as a registrar named them. */
export interface Resolution {
  readonly poolHandle: PoolHandle;
  /** The overall policy of the pool; round robin if the registrar named none (section 2.2.6). */
  readonly policy: MemberSelectionPolicy;
  /** At least one, in the registrar's order, except that suspected ones (see `isSuspected`) come last. */
  readonly elements: readonly PoolElement[];
  /** When the registrar's answer arrived, in milliseconds of the scope's clock. */
  readonly resolvedAt: number;
  /** 'staleCache': no registrar can be reached, and this is the last that was heard. */
  readonly source: 'server' | 'cache' | 'staleCache';
}

export interface ResolveOptions {
  /**
   * Milliseconds until it fails: with ERR_RSERPOOL_NO_ENRP_SERVER if no registrar could be reached, else with
   * ERR_RSERPOOL_REQUEST_TIMEOUT. Default: requestTimeout * (maxRequestRetransmits + 1).
   */
  readonly timeout?: number;
  /** How many elements the answer should hold. Default: the endpoint's `elementsWanted`. */
  readonly elementsWanted?: number;
  /** Ask the registrar even if the cache holds a fresh answer (section 6.3). Default: false. */
  readonly fresh?: boolean;
  /** 'once': fail as soon as one round of the server hunt found nobody. Default: 'untilTimeout'. */
  readonly hunt?: 'once' | 'untilTimeout';
}

/** Called once, never from within the call that it was given to. */
export type ResolveCallback = (error: Error | undefined, resolution: Resolution | undefined) => void;

/** Something that was asked for and may be given up; the callback does not come after that. */
export interface Cancellable {
  cancel(): void;
}

/** The error that a negative answer means; an answer without elements and without a cause means an unknown pool. */
export function resolutionError(response: HandleResolutionResponse): RserpoolError {
  const facts = { poolHandle: poolHandleText(response.poolHandle), origin: 'remote' } as const;
  const code = response.errors[0]?.code ?? causeCode.unknownPoolHandle;
  if (code === causeCode.unknownPoolHandle) return new RserpoolError('ERR_RSERPOOL_UNKNOWN_POOL_HANDLE', facts);
  const { detail, cause } = refusalFacts(response.errors);
  return new RserpoolError('ERR_RSERPOOL_RESOLUTION_REJECTED', { ...facts, detail, cause });
}

/** What an error says of the causes that a registrar gave: their names, and themselves as its `cause`. */
export function refusalFacts(errors: readonly ErrorCause[]): { readonly detail: string; readonly cause: unknown } {
  const causes = errors.map((cause) => `${causeName(cause.code)} (0x${cause.code.toString(16)})`);
  return { detail: causes.length === 0 ? 'without a cause' : causes.join(', '), cause: errors };
}

/** ERR_RSERPOOL_NO_ENRP_SERVER with what each registrar failed with as its cause. */
export function noEnrpServer(failures: ReadonlyMap<string, Error>, poolHandle?: PoolHandle): RserpoolError {
  const servers = [...failures.keys()];
  const facts = poolHandle === undefined ? {} : { poolHandle: poolHandleText(poolHandle) };
  const detail =
    servers.length === 0
      ? 'none answered yet'
      : servers.map((server) => `${server} ${reasonOf(failures.get(server))}`).join(', ');
  const cause = new AggregateError([...failures.values()], `no ENRP server of ${servers.length} accepted a connection`);
  return new RserpoolError('ERR_RSERPOOL_NO_ENRP_SERVER', { ...facts, detail, cause });
}

function reasonOf(error: Error | undefined): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? error?.message ?? '';
}
