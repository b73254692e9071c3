/** Byte streams over TLS: Node's own `tls` behind our callback interface. */

import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { checkObject } from '../../arguments.js';
import { socketTransport, TcpStream } from '../tcp/tcp.js';
import type { ByteStreamTransport } from '../transport.js';

/** What a client takes: Node's options of `tls.connect`, but for where to connect to. */
export type TlsClientOptions = Omit<tls.ConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'lookup' | 'timeout'>;

/** What a server takes: Node's options of `tls.createServer`. */
export type TlsServerOptions = tls.TlsOptions;

/** The `tls` option of a client; undefined: no TLS. Throws Node's argument errors. */
export function checkTlsClient(given: unknown): TlsClientOptions | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return {};
  checkObject('options.tls', given);
  return given as TlsClientOptions;
}

/** A TLS connection as a byte stream. */
class TlsStream extends TcpStream {
  /** TLS has no reset, and Node does not survive one of the connection under it: the far side may see an end. */
  override destroy(): void {
    super.destroy();
  }
}

/**
 * The options with which a client checks that the server's certificate is for `name` (or for `servername`, if that is
 * given), whatever address it has. Names that TLS can carry are sent to the server (SNI).
 */
export function namedClientOptions(options: TlsClientOptions, name: string): tls.ConnectionOptions {
  const expected = options.servername ?? name;
  const isHostName = /^[\w.-]+$/.test(expected);
  const checkServerIdentity = options.checkServerIdentity ?? (isHostName ? tls.checkServerIdentity : checkCommonName);
  return {
    ...options,
    servername: isHostName && isIP(expected) === 0 ? expected : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(expected, certificate),
  };
}

/** For a pool handle that no host can have as its name: the certificate's common name is that very text. */
function checkCommonName(name: string, certificate: tls.PeerCertificate): Error | undefined {
  return certificate.subject.CN === name ? undefined : tls.checkServerIdentity(name, certificate);
}

/**
 * TLS with these options. A client without options takes Node's defaults (the system's authorities); `name` is what the
 * certificates of servers must be for, by default the host that is connected to. A server without options cannot listen.
 */
export function tlsTransport(
  options: { readonly client?: TlsClientOptions; readonly server?: TlsServerOptions },
  name?: string,
): ByteStreamTransport {
  return socketTransport({
    dial({ host, port }) {
      const own = namedClientOptions(options.client ?? {}, name ?? host);
      return { socket: tls.connect({ ...own, host, port, ...{ allowHalfOpen: true } }), event: 'secureConnect' };
    },
    // A connection that fails at its handshake is of no use to anyone; Node closes it.
    serve: (onSocket) =>
      tls.createServer(
        { handshakeTimeout: 10_000, ...options.server, allowHalfOpen: true, noDelay: true },
        onSocket as (socket: Socket) => void,
      ),
    streamOver: (socket) => new TlsStream(socket),
  });
}
