/** A pool as a session sees it, and what the session does with it, to be judged. */

import type { MappingConnection } from '../../lib/mapping/mapping.js';
import type { DialledCallbacks, PoolAccess, SessionHello } from '../../lib/session/pool-access.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

export interface AccessWatch {
  /** It looks for an element. */
  onResolve(): void;
  /** The elements that the registrar's answer named. */
  onKnown(identifiers: readonly number[]): void;
  onDial(element: PoolElement, hello: SessionHello): void;
  /** An element was reached. */
  onOpen(connection: MappingConnection): void;
  /** One could not be reached, or is reported, or was reached and is no longer had. */
  onUnreachable(identifier: number): void;
}

export function watchedAccess(access: PoolAccess, watch: AccessWatch): PoolAccess {
  let reached: number | undefined;
  const onDial = (element: PoolElement, hello: SessionHello): void => {
    // It may have been lost before the failover callback had done, which nothing else tells.
    if (reached !== undefined) watch.onUnreachable(reached);
    watch.onDial(element, hello);
  };
  const watched = (element: PoolElement, { onOpen, onFailed }: DialledCallbacks): DialledCallbacks => ({
    onOpen(connection) {
      reached = element.identifier;
      watch.onOpen(connection);
      return onOpen(connection);
    },
    onFailed(errors) {
      watch.onUnreachable(element.identifier);
      onFailed(errors);
    },
  });
  return {
    ...access,
    prepare(element, hello, timeout, told) {
      const prepared = access.prepare?.(element, hello, timeout, {
        ...told,
        onFailed() {
          watch.onUnreachable(element.identifier);
          told.onFailed();
        },
      });
      if (prepared === undefined) return undefined;
      return {
        get isReached() {
          return prepared.isReached;
        },
        drop: () => prepared.drop(),
        claim(callbacks) {
          onDial(element, hello);
          return prepared.claim(watched(element, callbacks));
        },
      };
    },
    resolve(refresh, timeout, callback) {
      watch.onResolve();
      access.resolve(refresh, timeout, (error, pool) => {
        if (pool !== undefined) watch.onKnown(pool.picker.elements.map(({ identifier }) => identifier));
        callback(error, pool);
      });
    },
    dial(element, hello, callbacks) {
      onDial(element, hello);
      return access.dial(element, hello, watched(element, callbacks));
    },
    reportUnreachable(identifier) {
      watch.onUnreachable(identifier);
      access.reportUnreachable(identifier);
    },
  };
}
