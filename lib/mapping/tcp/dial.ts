/** Reaches an element that speaks the TCP mapping: its addresses in turn, until one has said hello. */

import type { Clock } from '../../clock.js';
import { RserpoolError } from '../../errors.js';
import {
  type Attempt,
  type ConnectCallbacks,
  formatAddress,
  type TransportAddress,
} from '../../transport/transport.js';
import {
  abortCode,
  type MappingConnection,
  type MappingHandler,
  noMappingHandler,
  type PeerHello,
} from '../mapping.js';
import type { Connector } from './connected-ahead.js';
import { TcpMappingConnection } from './connection.js';
import type { TcpMappingUser } from './opening.js';
import type { TcpMappingOptions } from './options.js';
import type { Reconnect } from './reconnecting.js';

export interface DialCallbacks {
  /** The element has said hello: returns who is told of the connection from now on. */
  onOpen(connection: MappingConnection, peer: PeerHello): MappingHandler;
  /** None of the addresses could be reached: the error of each. */
  onFailed(errors: readonly Error[]): void;
}

/** An address that does not accept the connection within a failure time-out is given up for the next. */
export function dialTcpMapping(
  transport: Connector,
  clock: Clock,
  options: TcpMappingOptions,
  addresses: readonly TransportAddress[],
  side: TcpMappingUser,
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
    const attempt = connectWithin(transport, clock, options.failureTimeout, address, {
      onOpen(stream) {
        const inTurn = [...addresses.slice(index), ...addresses.slice(0, index)];
        const connection = new TcpMappingConnection(stream, clock, options, {
          ...side,
          reconnect: (reconnecting) => reconnect(transport, clock, options.failureTimeout, inTurn, reconnecting),
        });
        cancel = () => connection.abort(abortCode.failedOver, 'no longer wanted');
        connection.handler = {
          ...noMappingHandler,
          onOpen(peer) {
            cancel = () => {};
            connection.handler = callbacks.onOpen(connection, peer);
          },
          onClose: (error) => error !== undefined && fail(error),
        };
        return connection.streamHandler;
      },
      onError: fail,
    });
    cancel = () => attempt.cancel();
  };

  next(0);
  return { cancel: () => cancel() };
}

/** The same element once more: its addresses in turn, from the one that worked. */
function reconnect(
  transport: Connector,
  clock: Clock,
  timeout: number,
  addresses: readonly TransportAddress[],
  callbacks: Parameters<Reconnect>[0],
): Attempt {
  let attempt: Attempt | undefined;
  let refused = true;
  const next = (index: number): void => {
    const address = addresses[index];
    if (address === undefined) callbacks.onFailed(refused);
    else {
      attempt = connectWithin(transport, clock, timeout, address, {
        onOpen: (stream) => callbacks.onOpen(stream),
        onError(error) {
          if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') refused = false;
          next(index + 1);
        },
      });
    }
  };
  next(0);
  return { cancel: () => attempt?.cancel() };
}

/** As the transport's connect, but it fails after `timeout` ms. */
function connectWithin(
  transport: Connector,
  clock: Clock,
  timeout: number,
  address: TransportAddress,
  callbacks: ConnectCallbacks,
): Attempt {
  const timer = clock.setTimeout(() => {
    attempt.cancel();
    const detail = formatAddress(address);
    callbacks.onError(new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT', { detail, origin: 'remote' }));
  }, timeout);
  const attempt = transport.connect(address, {
    onOpen(stream) {
      timer.cancel();
      return callbacks.onOpen(stream);
    },
    onError(error) {
      timer.cancel();
      callbacks.onError(error);
    },
  });
  return {
    cancel() {
      timer.cancel();
      attempt.cancel();
    },
  };
}
