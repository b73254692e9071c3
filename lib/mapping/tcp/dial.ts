/** Reaches an element that speaks the TCP mapping: its addresses in turn, until one has said hello. */

import type { Clock } from '../../clock.js';
import { RserpoolError } from '../../errors.js';
import {
  type Attempt,
  type ByteStreamTransport,
  formatAddress,
  type TransportAddress,
} from '../../transport/transport.js';
import { type MappingConnection, type MappingHandler, noMappingHandler, type PeerHello } from '../mapping.js';
import { TcpMappingConnection } from './connection.js';
import type { TcpMappingSide } from './opening.js';
import type { TcpMappingOptions } from './options.js';

export interface DialCallbacks {
  /** The element has said hello: returns who is told of the connection from now on. */
  onOpen(connection: MappingConnection, peer: PeerHello): MappingHandler;
  /** None of the addresses could be reached: the error of each. */
  onFailed(errors: readonly Error[]): void;
}

/** An address that does not accept the connection within a failure time-out is given up for the next. */
export function dialTcpMapping(
  transport: ByteStreamTransport,
  clock: Clock,
  options: TcpMappingOptions,
  addresses: readonly TransportAddress[],
  side: TcpMappingSide,
  callbacks: DialCallbacks,
): Attempt {
  const errors: Error[] = [];
  let cancel = (): void => {};

  const next = (index: number): void => {
    const address = addresses[index];
    if (address === undefined) {
      callbacks.onFailed(errors);
      return;
    }
    const fail = (error: Error): void => {
      errors.push(error);
      next(index + 1);
    };
    const timer = clock.setTimeout(() => {
      attempt.cancel();
      fail(new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT', { detail: formatAddress(address), origin: 'remote' }));
    }, options.failureTimeout);
    const attempt = transport.connect(address, {
      onOpen(stream) {
        timer.cancel();
        const connection = new TcpMappingConnection(stream, clock, options, side);
        cancel = () => connection.abort(0, 'no longer wanted');
        connection.handler = {
          ...noMappingHandler,
          onOpen(peer) {
            cancel = () => {};
            connection.handler = callbacks.onOpen(connection, peer);
          },
          onClose: (error) => error !== undefined && fail(error),
        };
        return connection;
      },
      onError(error) {
        timer.cancel();
        fail(error);
      },
    });
    cancel = () => {
      timer.cancel();
      attempt.cancel();
    };
  };

  next(0);
  return { cancel: () => cancel() };
}
