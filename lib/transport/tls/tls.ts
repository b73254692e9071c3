/** Byte streams over TLS (RFC 5352 section 9.2, RFC 5353 section 6.2): TCP with Node's own TLS on it. */

import { isIP, Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createServer,
  type PeerCertificate,
  type SecureContextOptions,
  type TlsOptions as ServerOptions,
  type TLSSocket,
} from 'node:tls';
import { domainToASCII } from 'node:url';
import { checkObject, checkString } from '../../arguments.js';
import { systemClock } from '../../clock.js';
import { backlog, reset, TcpStream } from '../tcp/tcp.js';
import {
  type Attempt,
  type ByteStreamTransport,
  type ConnectCallbacks,
  type ListenCallbacks,
  type Listener,
  socketTarget,
  type TransportAddress,
} from '../transport.js';

/**
 * What node:tls takes for certificates (`cert`, `key`, `ca`, `pfx`, `crl`, `ciphers`, `minVersion`, ...) and for shared
 * keys (`pskCallback`, `pskIdentityHint`; name the ciphers then, since Node leaves those out).
 */
export interface TlsTransportOptions
  extends SecureContextOptions,
    Pick<ServerOptions, 'pskCallback' | 'pskIdentityHint'> {
  /**
   * The name that the certificates of those whom we connect to must be for. Default: the name that the address was looked
   * up from, else the host that was given; an IP address must be in the certificate as such.
   */
  readonly servername?: string;
  /** As `pskCallback`, for connections that we make. */
  readonly pskClientCallback?: (hint: string | null) => { psk: NodeJS.ArrayBufferView; identity: string } | null;
}

/** Milliseconds for a far side to finish its handshake. */
const handshakeTimeout = 10_000;
/** Connections that are shaking hands; one too many is closed. */
const maxHandshakes = 256;

class TlsStream extends TcpStream {
  readonly certified: boolean;
  /** The TCP connection under it. */
  readonly #raw: Socket;

  constructor(socket: TLSSocket, raw: Socket) {
    super(socket, raw);
    this.#raw = raw;
    // Node does not always notice that both directions have ended when the far side is gone for good.
    const closeIfDone = (): void => {
      if (socket.readableEnded && socket.writableFinished) socket.destroy();
    };
    socket.once('end', closeIfDone);
    socket.once('finish', closeIfDone);
    // Who has the shared key has proved to have it.
    this.certified = socket.authorized || /PSK/.test(socket.getCipher()?.name ?? '');
  }

  override destroy(how?: 'reset'): void {
    const { socket } = this;
    // Node resets bare TCP only, and not while the end of what is over it waits to be sent.
    if (how !== undefined && !(socket.writableEnded && !socket.writableFinished)) reset(this.#raw);
    else socket.destroy();
  }

  // What keeps the process is the TCP connection; Node's TLS sockets do not hand this on to one that they were given.
  override ref(): void {
    this.#raw.ref();
  }

  override unref(): void {
    this.#raw.unref();
  }
}

/** The options, or Node's argument errors for what is none at all; the rest is node:tls's to check. */
export function checkTls(path: string, given: unknown): TlsTransportOptions | undefined {
  if (given === undefined) return undefined;
  const options = checkObject(path, given) as TlsTransportOptions;
  if (options.servername !== undefined) checkString(`${path}.servername`, options.servername);
  return options;
}

/**
 * TLS with these certificates or keys. Whoever is connected to must prove to be who was meant, or the connection fails
 * with node:tls's error. Whoever connects is asked for a certificate if `ca` is given, and let in without one: see
 * ByteStream's `certified`.
 */
export function tlsTransport(options: TlsTransportOptions): ByteStreamTransport {
  return {
    connect: (target, callbacks) => connect(options, target, callbacks),
    listen: (at, callbacks) => listen(options, at, callbacks),
  };
}

function connect(options: TlsTransportOptions, target: TransportAddress, callbacks: ConnectCallbacks): Attempt {
  const { servername, pskCallback: _, pskIdentityHint: __, pskClientCallback, ...context } = options;
  // Certificates have names in ASCII.
  const meant = asciiName(servername ?? target.name ?? target.host);
  const raw = new Socket({ allowHalfOpen: true });
  raw.setNoDelay(true);
  const shared = pskClientCallback === undefined ? {} : { pskCallback: pskClientCallback };
  const settings: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    ...context,
    socket: raw,
    allowHalfOpen: true,
    ...(isIP(meant) === 0 ? { servername: meant } : {}),
    ...(shared as Pick<ConnectionOptions, 'pskCallback'>),
    // With a shared key there is no certificate to look at.
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      certificate.subject === undefined && pskClientCallback !== undefined
        ? undefined
        : checkServerIdentity(meant, certificate),
  };
  // TLS reads and writes the connection itself, not by way of the socket, if there is one already. A name may take several.
  const isConnecting = isIP(target.host) !== 0;
  if (isConnecting) raw.connect(socketTarget(target));
  const socket = connectTls(settings);
  let wanted = true;
  const fail = (error: Error): void => {
    if (!wanted) return;
    wanted = false;
    callbacks.onError(error);
  };
  // An error that is on its way when the attempt is cancelled must not escape either: the listener stays.
  socket.on('error', fail);
  socket.once('close', () => fail(Object.assign(new Error('the handshake was broken off'), { code: 'ECONNRESET' })));
  socket.once('secureConnect', () => {
    if (!wanted) return;
    wanted = false;
    socket.off('error', fail);
    const stream = new TlsStream(socket, raw);
    stream.handler = callbacks.onOpen(stream);
  });
  // As TCP has it: the error of an attempt that fails is the system's own.
  raw.on('error', fail);
  if (!isConnecting) raw.connect(socketTarget(target));
  return {
    cancel() {
      if (!wanted) return;
      wanted = false;
      socket.destroy();
      raw.destroy();
    },
  };
}

/** An internationalised name as DNS has it (UTS 46); other names as they are. */
function asciiName(name: string): string {
  return isIP(name) === 0 ? domainToASCII(name) || name : name;
}

function listen(options: TlsTransportOptions, at: TransportAddress, callbacks: ListenCallbacks): Listener {
  const { servername: _, pskClientCallback: __, ...context } = options;
  const server = createServer({
    ...context,
    handshakeTimeout,
    allowHalfOpen: true,
    noDelay: true,
    requestCert: options.ca !== undefined,
    rejectUnauthorized: false,
  });
  const handshakes = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (handshakes.size >= maxHandshakes) {
      socket.destroy();
      return;
    }
    handshakes.add(socket);
    socket.once('close', () => handshakes.delete(socket));
  });
  // A handshake that fails is the far side's affair; node:tls has closed the connection.
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    const { remotePort, remoteAddress } = socket;
    const raw = [...handshakes].find((each) => each.remotePort === remotePort && each.remoteAddress === remoteAddress);
    if (raw !== undefined) handshakes.delete(raw);
    if (raw === undefined || remoteAddress === undefined) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const stream = new TlsStream(socket, raw);
    stream.handler = callbacks.onConnection(stream);
  });
  let open = true;
  server.on('error', (error) => {
    if (open) callbacks.onError(error);
  });
  server.listen({ host: at.host, port: at.port, exclusive: true, backlog }, () => {
    // The name was still being looked up when it was closed.
    if (!open) {
      server.close();
      return;
    }
    const address = server.address();
    if (address !== null && typeof address === 'object')
      callbacks.onListening({ host: address.address, port: address.port });
  });
  return {
    close(onClosed) {
      open = false;
      // Node's own callback would wait until the last connection has closed; the port is free before that.
      server.close();
      for (const socket of handshakes) socket.destroy();
      if (onClosed !== undefined) systemClock.nextTurn(onClosed);
    },
    ref() {
      server.ref();
    },
    unref() {
      server.unref();
    },
  };
}
