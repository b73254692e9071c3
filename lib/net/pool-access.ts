/** A session's view of its pool, through an operational scope. */

import type { Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import { tcpMappingAddresses } from '../mapping/offer.js';
import { dialTcpMapping } from '../mapping/tcp/dial.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { createPickerState } from '../policy/picker.js';
import type { PoolView } from '../session/candidates.js';
import type { PoolAccess } from '../session/element-search.js';
import type { PoolHandle } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';

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
    spread() {
      if (shared.spread || elements.length < 2) return;
      shared.spread = true;
      shared.state.cursor = Math.floor(scope.random.uniform() * elements.length);
    },
  };
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
): PoolAccess {
  const poolHandle = toPoolHandle(pool);
  const { endpoint, clock } = scope;
  return {
    poolHandle: pool,
    resolve(refresh, timeout, callback) {
      endpoint.resolve(poolHandle, { fresh: refresh, timeout, hunt: 'once' }, (error, resolution) => {
        callback(error, resolution === undefined ? undefined : poolView(scope, resolution));
      });
    },
    isSuspected: (identifier) => endpoint.isSuspected(poolHandle, identifier),
    reportUnreachable: (identifier) => endpoint.reportUnreachable(poolHandle, identifier),
    dial(element, hello, callbacks) {
      const addresses = tcpMappingAddresses(element, insist);
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
      return dialTcpMapping(scope.transports.stream, clock, options, addresses, side, callbacks);
    },
  };
}
