/** Nameservice mode at a server that serves both modes: accepted connections that turned out to be the service's own. */

import type net from 'node:net';
import { RserpoolError } from '../errors.js';
import { magic } from '../mapping/tcp/frame.js';
import type { TcpStream } from '../transport/tcp/tcp.js';

/** What net's server does to the sockets that it accepts. */
export interface AcceptanceOptions {
  readonly allowHalfOpen?: boolean;
  readonly pauseOnConnect?: boolean;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Seconds: as net keeps it. */
  readonly keepAliveInitialDelay?: number;
}

/**
 * Net's own socket behind the stream, as its server would hand it out: `firstBytes` are read first. After silence
 * ('silent') a magic that comes all the same destroys it: the user would take plain bytes for frames.
 */
export function acceptPlain(
  stream: TcpStream,
  firstBytes: Uint8Array,
  how: 'spoke' | 'silent',
  options: AcceptanceOptions,
): net.Socket {
  const socket = stream.release(firstBytes);
  socket.allowHalfOpen = options.allowHalfOpen ?? false;
  if (options.noDelay === true) socket.setNoDelay(true);
  if (options.keepAlive === true) socket.setKeepAlive(true, (options.keepAliveInitialDelay ?? 0) * 1000);
  if (how === 'silent') refuseLateMagic(socket, firstBytes.length);
  return socket;
}

/**
 * Keeps the end of what the far side sends from the stream, and calls `onEnd` instead: a socket that has emitted 'end' is of
 * no use to another owner. `let` makes the end come after all, `forget` lets it come when it does.
 */
export function withholdEnd(socket: net.Socket, onEnd: () => void): { let(): void; forget(): void } {
  const { push } = socket;
  let held = false;
  const forget = (): void => {
    // The prototype's again.
    delete (socket as Partial<net.Socket>).push;
  };
  socket.push = (chunk: Uint8Array | null, encoding?: BufferEncoding): boolean => {
    if (chunk !== null) return push.call(socket, chunk, encoding);
    forget();
    held = true;
    onEnd();
    return false;
  };
  return {
    forget,
    let() {
      if (!held || socket.destroyed) return;
      socket.push(null);
      // As net does: who reads nothing hears of the end too, unless the socket is paused.
      if (!socket.isPaused()) socket.read(0);
    },
  };
}

function refuseLateMagic(socket: net.Socket, alreadyRead: number): void {
  const { push } = socket;
  let matching = alreadyRead;
  socket.push = (chunk: Uint8Array | null, encoding?: BufferEncoding): boolean => {
    for (const byte of chunk ?? [-1]) {
      if (byte !== magic[matching]) {
        socket.push = push;
        break;
      }
      matching++;
      if (matching < magic.length) continue;
      socket.push = push;
      const detail = 'a session began on a connection that had been silent for too long';
      const error = new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail, origin: 'remote' });
      // What a stranger does is no reason for a server to die: told only if anybody listens.
      socket.destroy(socket.listenerCount('error') > 0 ? error : undefined);
      return false;
    }
    return push.call(socket, chunk, encoding);
  };
}
