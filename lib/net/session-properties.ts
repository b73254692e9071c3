/** Getters of `net.Socket` that ask its handle, and what they give for a pool's session. */

import net from 'node:net';
import type { Session } from '../session/session.js';
import type { TransportAddress } from '../transport/transport.js';

export interface SessionFacts {
  readonly session: Session;
  readonly connecting: boolean;
  readonly destroyed: boolean;
  /** The far side as it was last asked for: net remembers it after the end, and so do we. */
  readonly peer: { at: TransportAddress | undefined };
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

function farAddress({ session, destroyed, peer }: SessionFacts): TransportAddress | undefined {
  if (!destroyed) peer.at = session.remoteAddress;
  return peer.at;
}

function ownAddress({ session, destroyed }: SessionFacts): TransportAddress | undefined {
  return destroyed ? undefined : session.localAddress;
}

/** By the name of the property. */
const sessionProperties: Readonly<Record<string, (facts: SessionFacts) => unknown>> = {
  bytesRead: (facts) => facts.bytesRead,
  bytesWritten: (facts) => facts.bytesWritten,
  pending: (facts) => facts.connecting,
  remoteAddress: (facts) => farAddress(facts)?.host,
  remotePort: (facts) => farAddress(facts)?.port,
  remoteFamily: (facts) => family(farAddress(facts)?.host),
  localAddress: (facts) => ownAddress(facts)?.host,
  localPort: (facts) => ownAddress(facts)?.port,
  localFamily: (facts) => family(ownAddress(facts)?.host),
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

/** `bufferSize`, which net gives while there is a handle: a socket that is with a pool may have none yet, or never. */
export function defineBufferSize<Pooled extends net.Socket>(
  prototype: Pooled,
  isPooled: (socket: Pooled) => boolean,
): void {
  const inherited = Object.getOwnPropertyDescriptor(net.Socket.prototype, 'bufferSize');
  Object.defineProperty(prototype, 'bufferSize', {
    configurable: true,
    enumerable: inherited?.enumerable ?? false,
    get(this: Pooled) {
      if (isPooled(this)) return this.destroyed ? undefined : this.writableLength;
      return inherited?.get?.call(this);
    },
  });
}

/** 'IPv4' or 'IPv6', as net names it. */
export function family(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** What net says of a connection that it drops. */
export function dropArgument(stream: Record<'localAddress' | 'remoteAddress', TransportAddress>): net.DropArgument {
  const { localAddress: local, remoteAddress: remote } = stream;
  return {
    localAddress: local.host,
    localPort: local.port,
    localFamily: family(local.host) as string,
    remoteAddress: remote.host,
    remotePort: remote.port,
    remoteFamily: family(remote.host) as string,
  };
}

/** Bytes that the stream holds back: net counts them as written. */
export function waitingBytes(socket: net.Socket): number {
  const { writableBuffer = [] } = socket as {
    readonly writableBuffer?: readonly { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding }[];
  };
  let bytes = 0;
  for (const { chunk, encoding } of writableBuffer)
    bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
  return bytes;
}
