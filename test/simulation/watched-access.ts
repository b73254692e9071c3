/** A pool as a session sees it, and what the session does with it, to be judged. */

import type { MappingConnection } from '../../lib/mapping/mapping.js';
import type { PoolAccess, SessionHello } from '../../lib/session/element-search.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

export interface AccessWatch {
  /** It looks for an element. */
  onResolve(): void;
  /** The elements that the registrar's answer named. */
  onKnown(identifiers: readonly number[]): void;
  onDial(element: PoolElement, hello: SessionHello): void;
  /** An element was reached. */
  onOpen(connection: MappingConnection): void;
  /** One could not be reached, or is reported. */
  onUnreachable(identifier: number): void;
}

export function watchedAccess(access: PoolAccess, watch: AccessWatch): PoolAccess {
  return {
    ...access,
    resolve(refresh, timeout, callback) {
      watch.onResolve();
      access.resolve(refresh, timeout, (error, pool) => {
        if (pool !== undefined) watch.onKnown(pool.picker.elements.map(({ identifier }) => identifier));
        callback(error, pool);
      });
    },
    dial(element, hello, callbacks) {
      watch.onDial(element, hello);
      return access.dial(element, hello, {
        onOpen(connection) {
          watch.onOpen(connection);
          return callbacks.onOpen(connection);
        },
        onFailed(errors) {
          watch.onUnreachable(element.identifier);
          callbacks.onFailed(errors);
        },
      });
    },
    reportUnreachable(identifier) {
      watch.onUnreachable(identifier);
      access.reportUnreachable(identifier);
    },
  };
}
