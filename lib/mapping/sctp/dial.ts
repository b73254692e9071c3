/** Reaches an element of the reference implementation: over SCTP, without our frames. */

import type { Clock } from '../../clock.js';
import { RserpoolError } from '../../errors.js';
import type { SctpStack } from '../../transport/sctp/sctp-stack.js';
import { type Attempt, formatAddress, type TransportAddress } from '../../transport/transport.js';
import type { DialCallbacks } from '../tcp/dial.js';
import type { TcpMappingOptions } from '../tcp/options.js';
import { PlainSctpConnection } from './plain-connection.js';

/** An address that does not answer within a failure time-out is given up for the next. */
export function dialPlainSctp(
  stack: SctpStack,
  clock: Clock,
  options: TcpMappingOptions,
  addresses: readonly TransportAddress[],
  cookieFollows: boolean,
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
      timer.cancel();
      errors.push(error);
      next(index + 1);
    };
    const timer = clock.setTimeout(() => {
      attempt.cancel();
      const detail = formatAddress(address);
      fail(new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT', { detail, origin: 'remote' }));
    }, options.failureTimeout);
    const attempt = stack.connect(address, {
      onOpen(association) {
        timer.cancel();
        cancel = () => {};
        const connection = new PlainSctpConnection(association, clock, options, { role: 'user', cookieFollows });
        const peer = { version: 0, sessionId: new Uint8Array(16), failedOver: false, cookieFollows: false };
        connection.handler = callbacks.onOpen(connection, peer);
        return connection;
      },
      onError: fail,
    });
    cancel = () => {
      timer.cancel();
      attempt.cancel();
    };
  };
  next(0);
  return { cancel: () => cancel() };
}
