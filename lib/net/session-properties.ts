/** Getters of `net.Socket` that ask its handle, and what they give for a pool's session. */

import net from 'node:net';
import type { Session } from '../session/session.js';

export interface SessionFacts {
  readonly session: Session;
  readonly connecting: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** By the name of the property. */
const sessionProperties: Readonly<Record<string, (facts: SessionFacts) => unknown>> = {
  bytesRead: (facts) => facts.bytesRead,
  bytesWritten: (facts) => facts.bytesWritten,
  pending: (facts) => facts.connecting,
  remoteAddress: ({ session }) => session.remoteAddress?.host,
  remotePort: ({ session }) => session.remoteAddress?.port,
  remoteFamily: ({ session }) => family(session.remoteAddress?.host),
  localAddress: ({ session }) => session.localAddress?.host,
  localPort: ({ session }) => session.localAddress?.port,
  localFamily: ({ session }) => family(session.localAddress?.host),
};

/**
 * Gives a class that extends `net.Socket` these getters: net's own while `factsOf` knows of no session. They cannot be
 * overridden in the class itself, since net's typings call them fields.
 */
export function defineSessionProperties<Pooled extends net.Socket>(
  prototype: Pooled,
  factsOf: (socket: Pooled) => SessionFacts | undefined,
): void {
  for (const [name, ofSession] of Object.entries(sessionProperties)) {
    const inherited = Object.getOwnPropertyDescriptor(net.Socket.prototype, name);
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: inherited?.enumerable ?? false,
      get(this: Pooled) {
        const facts = factsOf(this);
        return facts === undefined ? inherited?.get?.call(this) : ofSession(facts);
      },
    });
  }
}

/** 'IPv4' or 'IPv6', as net names it. */
export function family(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
