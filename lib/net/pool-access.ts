/** A session's view of its pool, through an operational scope. */

import type { Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import { plainSctpAddresses, sctpMappingAddresses, tcpMappingAddresses } from '../mapping/offer.js';
import { dialPlainSctp } from '../mapping/sctp/dial.js';
import { mappingTransport } from '../mapping/sctp/transport.js';
import { dialTcpMapping } from '../mapping/tcp/dial.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { createPickerState } from '../policy/picker.js';
import type { PoolView } from '../session/candidates.js';
import type { PoolAccess } from '../session/element-search.js';
import type { ByteStreamTransport } from '../transport/transport.js';
import type { PoolHandle } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import type { MappingName } from './options.js';
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
  const { element, select } = choice;
  const poolHandle = toPoolHandle(pool);
  const { endpoint, clock } = scope;
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
        const view = resolution === undefined ? undefined : poolView(scope, resolution);
        if (view === undefined || select === undefined) callback(error, view);
        else callback(error, { ...view, picker: new CallbackPicker(view.picker.elements, select, clock) });
      });
    },
    isSuspected: (identifier) => endpoint.isSuspected(poolHandle, identifier),
    reportUnreachable: (identifier) => endpoint.reportUnreachable(poolHandle, identifier),
    dial(element, hello, callbacks) {
      const sctp = scope.sctp.get();
      const addresses = mappings.flatMap((mapping) =>
        mapping === 'tcp' ? tcpMappingAddresses(element, insist) : sctpMappingAddresses(element),
      );
      const plain = mappings.includes('sctp') ? plainSctpAddresses(element) : [];
      if (addresses.length === 0 && plain.length > 0 && sctp !== undefined) {
        return dialPlainSctp(sctp, clock, options, plain, hello.cookieFollows, callbacks);
      }
      if (addresses.length === 0) {
        const facts = { poolHandle: pool, element: element.identifier, origin: 'remote' } as const;
        const error = new RserpoolError('ERR_RSERPOOL_MAPPING_NOT_AVAILABLE', facts);
        let wanted = true;
        clock.defer(() => wanted && callbacks.onFailed([error]));
        return {
          cancel() {
            wanted = false;
          },
        };
      }
      const side = { role: 'user', poolHandle, peIdentifier: element.identifier, ...hello } as const;
      const transport = mappingTransport(stream, sctp);
      return dialTcpMapping(transport, clock, options, addresses, side, callbacks);
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
