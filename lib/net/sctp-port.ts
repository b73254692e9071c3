/** A pool element's SCTP port: users of either kind of the SCTP mapping, and registrars (docs/sctp.md). */

import type { OperationalScope } from '../asap/scope.js';
import { asapPpid } from '../mapping/mapping.js';
import { sctpMappingAdaptation } from '../mapping/sctp/frame-stream.js';
import { PlainSctpConnection } from '../mapping/sctp/plain-connection.js';
import { acceptFrames } from '../mapping/sctp/transport.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { SctpControlStream } from '../transport/sctp/control-stream.js';
import type { SctpAssociation, SctpAssociationHandler, SctpListener } from '../transport/sctp/sctp-stack.js';
import type { ByteStream, ByteStreamHandler, TransportAddress } from '../transport/transport.js';
import { asapMessageType } from '../wire/asap.js';

export interface SctpPortCallbacks {
  onListening(address: TransportAddress): void;
  /** A user that speaks our frames. */
  onConnection(stream: ByteStream): ByteStreamHandler;
  /** A user that speaks plain SCTP: sets the connection's handler. */
  onPlain(connection: PlainSctpConnection): void;
  onError(error: Error): void;
}

/** Listens on the scope's stack, which must be switched on. */
export function openSctpPort(
  scope: OperationalScope,
  port: number,
  mapping: TcpMappingOptions,
  callbacks: SctpPortCallbacks,
): SctpListener | undefined {
  return scope.sctp.get()?.listen(
    port,
    {
      onListening: (address) => callbacks.onListening(address),
      onAssociation: (association) =>
        acceptFrames(association, (stream) => callbacks.onConnection(stream)) ??
        acceptPlain(scope, association, mapping, callbacks),
      onError: (error) => callbacks.onError(error),
    },
    { adaptation: sctpMappingAdaptation },
  );
}

function acceptPlain(
  scope: OperationalScope,
  association: SctpAssociation,
  mapping: TcpMappingOptions,
  callbacks: SctpPortCallbacks,
): SctpAssociationHandler {
  const side = { role: 'element', cookieFollows: false } as const;
  const connection = new PlainSctpConnection(association, scope.clock, mapping, side);
  callbacks.onPlain(connection);
  let first = true;
  return {
    onMessage(message) {
      if (first && message.ppid === asapPpid && message.data[0] === asapMessageType.endpointKeepAlive) {
        // A registrar that looks after this element, not a user.
        connection.abandon();
        const control = new SctpControlStream(association, asapPpid);
        association.handler = control;
        control.handler = scope.endpoint.acceptChannel(control);
        control.onMessage(message);
        return;
      }
      first = false;
      connection.onMessage(message);
    },
    onAcknowledged: (count) => connection.onAcknowledged(count),
    onHeard: () => connection.onHeard(),
    onNotification: (notification) => connection.onNotification(notification),
    onClose: (error) => connection.onClose(error),
  };
}
