/** Getters of `net.Socket` that ask its handle, and what they give for a pool's session. */

import type { Session } from '../session/session.js';

export interface SessionFacts {
  readonly session: Session;
  readonly connecting: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** By the name of the property. */
export const sessionProperties: Readonly<Record<string, (facts: SessionFacts) => unknown>> = {
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

/** 'IPv4' or 'IPv6', as net names it. */
export function family(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
