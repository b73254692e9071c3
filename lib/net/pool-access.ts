/** A session's view of its pool, through an operational scope. */

import type { BlockList } from 'node:net';
import type { Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import { plainSctpAddresses, sctpMappingAddresses, tcpMappingAddresses } from '../mapping/offer.js';
import { dialPlainSctp } from '../mapping/sctp/dial.js';
import { mappingTransport } from '../mapping/sctp/transport.js';
import type { Connector } from '../mapping/tcp/connected-ahead.js';
import { type DialCallbacks, dialTcpMapping } from '../mapping/tcp/dial.js';
import type { StandBy } from '../mapping/tcp/opening.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { type Dial, PreparedConnection } from '../mapping/tcp/prepared-connection.js';
import type { Picker } from '../policy/member-policy.js';
import { createPickerState } from '../policy/picker.js';
import type { PoolView } from '../session/candidates.js';
import type { PoolAccess, SessionHello } from '../session/pool-access.js';
import type { Attempt, ByteStreamTransport, TransportAddress } from '../transport/transport.js';
import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { blockedError, isBlocked, without } from './block-list.js';
import type { MappingName } from './options.js';
import { peerProcesses } from './peer-processes.js';
import { CallbackPicker, type SelectServer } from './select-server.js';

interface Turn {
  resolvedAt: number;
  state: PoolView['state'];
  /** Whether the turn was moved to anywhere since the answer. */
  spread: boolean;
}

/** Whose turn it is in each pool, for all sessions of a scope: so that they spread over the pool's elements. */
const turns = new WeakMap<OperationalScope, Map<PoolHandle, Turn>>();

/** An answer of the registrar with the turn in it that everything in this scope shares. */
export function poolView(scope: OperationalScope, resolution: Resolution): PoolView {
  let pools = turns.get(scope);
  if (pools === undefined) {
    pools = new Map();
    turns.set(scope, pools);
  }
  let turn = pools.get(resolution.poolHandle);
  if (turn === undefined || turn.resolvedAt !== resolution.resolvedAt) {
    turn = { resolvedAt: resolution.resolvedAt, state: createPickerState(), spread: false };
    pools.set(resolution.poolHandle, turn);
  }
  const shared = turn;
  const { elements } = resolution;
  return {
    picker: scope.policies.get(resolution.policy).createPicker(elements, scope.random),
    state: shared.state,
    resolvedAt: resolution.resolvedAt,
    spread() {
      if (shared.spread || elements.length < 2) return;
      shared.spread = true;
      shared.state.cursor = Math.floor(scope.random.uniform() * elements.length);
    },
  };
}

/** Who chooses, where it is not the pool's policy. */
export interface ElementChoice {
  /** Nobody but the element with this PE identifier. */
  readonly element?: number | undefined;
  /** The application. */
  readonly select?: SelectServer | undefined;
  /** Addresses that are not to be connected to. */
  readonly blockList?: BlockList | undefined;
}

/**
 * `insist`: take an element that advertises no mapping for one that speaks the TCP mapping on its TCP transport. Else
 * reaching it fails with ERR_RSERPOOL_MAPPING_NOT_AVAILABLE.
 */
export function poolAccess(
  scope: OperationalScope,
  pool: string,
  options: TcpMappingOptions,
  insist: boolean,
  choice: ElementChoice = {},
  mappings: readonly MappingName[] = ['tcp'],
  stream: ByteStreamTransport = scope.transports.stream,
): PoolAccess {
  const { element, select, blockList } = choice;
  const poolHandle = toPoolHandle(pool);
  const { endpoint, clock } = scope;
  const offered = (one: PoolElement): TransportAddress[] =>
    mappings.flatMap((mapping) => (mapping === 'tcp' ? tcpMappingAddresses(one, insist) : sctpMappingAddresses(one)));
  const plainOffered = (one: PoolElement): TransportAddress[] =>
    mappings.includes('sctp') ? plainSctpAddresses(one) : [];
  const allowed = ({ host }: TransportAddress): boolean => !isBlocked(blockList, host);
  const everyAddress = (one: PoolElement): TransportAddress[] => [...offered(one), ...plainOffered(one)];
  const passingOver = (picker: Picker): Picker => {
    if (blockList === undefined) return picker;
    const blocked = picker.elements.filter((one) => {
      const all = everyAddress(one);
      return all.length > 0 && !all.some(allowed);
    });
    return blocked.length === 0 ? picker : without(picker, new Set(blocked.map(({ identifier }) => identifier)));
  };
  const firstBlocked = (resolution: Resolution | undefined): TransportAddress | undefined =>
    resolution?.elements.flatMap(everyAddress).find((address) => !allowed(address));
  const dialOver = (
    connector: Connector,
    one: PoolElement,
    hello: SessionHello,
    callbacks: DialCallbacks,
    standBy?: StandBy,
  ): Attempt => {
    const facts = { role: 'user', poolHandle, peIdentifier: one.identifier, ...hello } as const;
    const side = { ...facts, processes: peerProcesses(scope), ...(standBy === undefined ? {} : { standBy }) };
    return dialTcpMapping(connector, clock, options, offered(one).filter(allowed), side, callbacks);
  };
  return {
    poolHandle: pool,
    element,
    resolve(refresh, timeout, callback) {
      // Who is looked for by name must be in the answer, however large the pool is.
      const wanted = element === undefined ? {} : { elementsWanted: 0xffff_ffff };
      endpoint.resolve(poolHandle, { fresh: refresh, timeout, hunt: 'once', ...wanted }, (error, resolution) => {
        if (resolution !== undefined && element !== undefined) {
          callback(...oneElement(scope, resolution, pool, element));
          return;
        }
        const all = resolution === undefined ? undefined : poolView(scope, resolution);
        const view = all && { ...all, picker: passingOver(all.picker) };
        const blocked = view !== undefined && view.picker.elements.length === 0 ? firstBlocked(resolution) : undefined;
        const problem = blocked === undefined ? error : blockedError(blocked.host);
        if (view === undefined || select === undefined) callback(problem, view);
        else callback(problem, { ...view, picker: new CallbackPicker(view.picker.elements, select, clock) });
      });
    },
    isSuspected: (identifier) => endpoint.isSuspected(poolHandle, identifier),
    reportUnreachable: (identifier) => endpoint.reportUnreachable(poolHandle, identifier),
    dial(element, hello, callbacks) {
      const sctp = scope.sctp.get();
      const addresses = offered(element).filter(allowed);
      const plain = plainOffered(element).filter(allowed);
      if (addresses.length === 0 && plain.length > 0 && sctp !== undefined) {
        return dialPlainSctp(sctp, clock, options, plain, hello.cookieFollows, callbacks);
      }
      if (addresses.length === 0) {
        const facts = { poolHandle: pool, element: element.identifier, origin: 'remote' } as const;
        const [reached] = everyAddress(element);
        const error =
          reached === undefined
            ? new RserpoolError('ERR_RSERPOOL_MAPPING_NOT_AVAILABLE', facts)
            : blockedError(reached.host);
        let wanted = true;
        clock.defer(() => wanted && callbacks.onFailed([error]));
        return {
          cancel() {
            wanted = false;
          },
        };
      }
      return dialOver(mappingTransport(stream, sctp), element, hello, callbacks);
    },
    prepare(one, hello, timeout, callbacks) {
      const [first] = offered(one).filter(allowed);
      // An application that chooses is asked when it is to choose; an association says hello by itself.
      if (first === undefined || first.protocol !== undefined || select !== undefined) return undefined;
      const dial: Dial = (connector, dialled, standBy) => dialOver(connector, one, hello, dialled, standBy);
      return new PreparedConnection(mappingTransport(stream, scope.sctp.get()), clock, first, timeout, dial, callbacks);
    },
  };
}

/** What `PoolAccess.resolve` tells of one element of an answer. Its turn is its own: it must not move that of others. */
function oneElement(
  scope: OperationalScope,
  resolution: Resolution,
  pool: string,
  element: number,
): [error: Error | undefined, pool: PoolView] {
  const elements = resolution.elements.filter(({ identifier }) => identifier === element);
  const picker = scope.policies.get(resolution.policy).createPicker(elements, scope.random);
  const view = { picker, state: createPickerState(), resolvedAt: resolution.resolvedAt, spread() {} };
  if (elements.length > 0) return [undefined, view];
  // What was known of it before no longer counts.
  return [new RserpoolError('ERR_RSERPOOL_UNKNOWN_ELEMENT', { poolHandle: pool, element, origin: 'remote' }), view];
}
