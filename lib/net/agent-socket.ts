/**
 * What an http agent gives a request in the place of a connection. Each request that is written to it goes to the element
 * whose turn it is, on a connection of its own for that long; and if the element fails before a byte of the response
 * came, a request that may be repeated goes to the next one.
 */

import { Duplex } from 'node:stream';
import type { Cancellable } from '../asap/resolution.js';
import { RserpoolError } from '../errors.js';
import type { AgentConnections, ConnectionOwner, ElementConnection } from './agent-connections.js';
import { IdleTimer } from './idle-timer.js';
import type { ElementInfo } from './options.js';

type Done = (error?: Error | null) => void;

interface Written {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding;
}

/**
 * idle (no request) -> acquiring (it waits for a connection) -> awaiting (sent, nothing came) -> answering -> idle;
 * awaiting -> acquiring when the element failed and the request may be repeated; all -> closed.
 */
type ExchangeState = 'idle' | 'acquiring' | 'awaiting' | 'answering' | 'closed';

export interface AgentSocketOptions {
  /** How many bytes of a request are kept so that it can be repeated. */
  readonly replayLimit: number;
  /** How often one request is repeated. */
  readonly maxRetries: number;
  /** Whether a request that begins with this may be repeated. */
  readonly mayRepeat: (head: string) => boolean;
  /** Whether a response with this status code counts against the element. */
  readonly isError: (statusCode: number) => boolean;
  readonly encrypted: boolean;
}

/** A virtual connection, as long-lived as http thinks that a connection is. */
export class AgentSocket extends Duplex implements ConnectionOwner {
  /** Until the first connection is there. */
  connecting = true;
  timeout: number | undefined;
  readonly #connections: AgentConnections;
  readonly #options: AgentSocketOptions;
  readonly #idleTimer: IdleTimer;
  #state: ExchangeState = 'idle';
  #connection: ElementConnection | undefined;
  #acquisition: Cancellable | undefined;
  /** The request as far as it was written; given up when it is too long, or may not be repeated. */
  #request: Written[] = [];
  #requestBytes = 0;
  #repeatable = false;
  #retries = 0;
  #unsent: Done | undefined;
  #referenced = true;
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor(connections: AgentConnections, options: AgentSocketOptions) {
    super({ decodeStrings: false, allowHalfOpen: false });
    this.#connections = connections;
    this.#options = options;
    this.#idleTimer = new IdleTimer(connections.choice.scope.clock, () => this.emit('timeout'));
    // http says so when a response has been read, before it gives the next request to this socket.
    this.on('free', () => this.#onExchanged());
  }

  get poolHandle(): string {
    return this.#connections.choice.poolHandle;
  }

  /** The element that has the current request; undefined between requests. */
  get element(): ElementInfo | undefined {
    const server = this.#connection?.server;
    return server === undefined
      ? undefined
      : Object.freeze({ identifier: server.identifier, address: server.address, port: server.port });
  }

  /** As net's and tls's, of the connection that has the current request. */
  get remoteAddress(): string | undefined {
    return this.#connection?.socket.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.#connection?.socket.remotePort;
  }
  get remoteFamily(): string | undefined {
    return this.#connection?.socket.remoteFamily;
  }
  get localAddress(): string | undefined {
    return this.#connection?.socket.localAddress;
  }
  get localPort(): number | undefined {
    return this.#connection?.socket.localPort;
  }
  get encrypted(): boolean {
    return this.#options.encrypted;
  }
  get authorized(): boolean | undefined {
    return this.#tls('authorized') as boolean | undefined;
  }
  get authorizationError(): unknown {
    return this.#tls('authorizationError');
  }
  getPeerCertificate(detailed?: boolean): unknown {
    return (this.#tls('getPeerCertificate') as ((detailed?: boolean) => unknown) | undefined)?.call(
      this.#connection?.socket,
      detailed,
    );
  }
  get bytesRead(): number {
    return this.#bytesRead;
  }
  get bytesWritten(): number {
    return this.#bytesWritten;
  }
  get pending(): boolean {
    return this.connecting;
  }

  setTimeout(after: number, onTimeout?: () => void): this {
    this.timeout = after;
    this.#idleTimer.set(after);
    if (onTimeout !== undefined) {
      if (after === 0) this.removeListener('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    return this;
  }

  /** Does nothing: requests leave at once, and elements are watched by other means. */
  setNoDelay(): this {
    return this;
  }

  /** Does nothing: see setNoDelay. */
  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#connection?.socket.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#connection?.socket.unref();
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): void {
    this.#idleTimer.touch();
    this.#bytesWritten += chunk.length;
    switch (this.#state) {
      case 'idle':
        this.#begin([{ chunk, encoding }], done);
        return;
      case 'acquiring':
        this.#keep(chunk, encoding);
        this.#holdWhileTooLong(done);
        return;
      case 'awaiting':
        if (this.#repeatable) this.#keep(chunk, encoding);
        if (this.#requestBytes > this.#options.replayLimit) this.#letGo();
        this.#send(chunk, encoding, done);
        return;
      case 'answering':
        this.#send(chunk, encoding, done);
        return;
      default:
        done();
    }
  }

  override _writev(chunks: Written[], done: Done): void {
    // A request that is whole already leaves in one piece.
    if (this.#state === 'idle') {
      this.#idleTimer.touch();
      for (const { chunk } of chunks) this.#bytesWritten += chunk.length;
      this.#begin(chunks, done);
      return;
    }
    const { socket } = this.#connection ?? {};
    socket?.cork();
    const last = chunks.length - 1;
    chunks.forEach(({ chunk, encoding }, at) => {
      this._write(chunk, encoding, at === last ? done : () => {});
    });
    socket?.uncork();
  }

  override _final(done: Done): void {
    this.#connection?.socket.end();
    done();
  }

  override _read(): void {
    this.#connection?.socket.resume();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#become('closed');
    this.#idleTimer.set(0);
    this.#acquisition?.cancel();
    this.#letGo();
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#connections.discard(connection);
    this.#sent(error);
    done(error);
  }

  onData(chunk: Buffer): void {
    this.#idleTimer.touch();
    this.#bytesRead += chunk.length;
    if (this.#state === 'awaiting') this.#onResponse(chunk);
    if (!this.push(chunk)) this.#connection?.socket.pause();
  }

  onDrain(): void {
    this.#sent(null);
  }

  onEnd(): void {
    // Without a byte of the response it is a failure, and 'close' is about to tell.
    if (this.#state === 'awaiting') this.#connection?.socket.destroy();
    else this.push(null);
  }

  onClose(error: Error | undefined): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // A far side may close a connection that rested just as it is used again: that says nothing about the element.
    if (!connection.reused && this.#state === 'awaiting') {
      this.#connections.choice.failed(connection.server.identifier, 'broken');
    }
    this.#onLost(error);
  }

  onElementSilent(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#connections.discard(connection);
    const { identifier } = connection.server;
    const detail = 'it gives no sign of life';
    const facts = { poolHandle: this.poolHandle, element: identifier, origin: 'remote', detail } as const;
    this.#onLost(new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts));
  }

  /** The one place where the state changes. */
  #become(state: ExchangeState): void {
    this.#state = state;
  }

  #begin(written: readonly Written[], done: Done): void {
    this.#repeatable = this.#options.mayRepeat(headOf(written[0]?.chunk ?? ''));
    this.#retries = 0;
    for (const { chunk, encoding } of written) this.#keep(chunk, encoding);
    this.#acquire(false);
    this.#holdWhileTooLong(done);
  }

  #keep(chunk: string | Uint8Array, encoding: BufferEncoding): void {
    // Bytes are the caller's again when its callback has come.
    this.#request.push({ chunk: typeof chunk === 'string' ? chunk : Buffer.from(chunk), encoding });
    this.#requestBytes += chunk.length;
  }

  #letGo(): void {
    this.#repeatable = false;
    this.#request = [];
    this.#requestBytes = 0;
  }

  #holdWhileTooLong(done: Done): void {
    if (this.#state === 'acquiring' && this.#requestBytes > this.#options.replayLimit) this.#unsent = done;
    else done();
  }

  #acquire(fresh: boolean): void {
    this.#become('acquiring');
    const acquired = this.#connections.acquire(this, fresh, (error, connection) => {
      this.#acquisition = undefined;
      if (connection === undefined) this.destroy(error);
      else this.#onAcquired(connection);
    });
    if ('connection' in acquired) this.#onAcquired(acquired.connection);
    else this.#acquisition = acquired.dialling;
  }

  #onAcquired(connection: ElementConnection): void {
    this.#connection = connection;
    const { socket } = connection;
    if (this.#referenced) socket.ref();
    else socket.unref();
    this.#become('awaiting');
    const request = this.#request;
    let room = true;
    if (request.length > 1) socket.cork();
    for (const { chunk, encoding } of request) room = socket.write(chunk, encoding);
    if (request.length > 1) socket.uncork();
    if (!this.#repeatable || this.#requestBytes > this.#options.replayLimit) this.#letGo();
    if (room) this.#sent(null);
    if (this.writableEnded) socket.end();
    if (this.connecting) this.#onFirstConnection();
  }

  #onFirstConnection(): void {
    this.connecting = false;
    this.emit('connect');
    if (this.#options.encrypted) this.emit('secureConnect');
    this.emit('ready');
  }

  #send(chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): void {
    const { socket } = this.#connection as ElementConnection;
    if (socket.write(chunk, encoding)) done();
    else this.#unsent = done;
  }

  #sent(error: Error | null): void {
    const done = this.#unsent;
    this.#unsent = undefined;
    done?.(error);
  }

  #onResponse(chunk: Buffer): void {
    this.#become('answering');
    this.#letGo();
    const { server } = this.#connection as ElementConnection;
    this.#connections.choice.answered(server.identifier, this.#options.isError(statusCodeOf(chunk)));
  }

  /** The connection is gone before the exchange was over. */
  #onLost(error: Error | undefined): void {
    if (this.#state === 'awaiting' && this.#repeatable && this.#retries < this.#options.maxRetries) {
      this.#retries++;
      this.#acquire(true);
    } else this.destroy(error);
  }

  #onExchanged(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#state !== 'answering') return;
    this.#connection = undefined;
    this.#become('idle');
    this.#connections.release(connection);
  }

  #tls(name: string): unknown {
    return (this.#connection?.socket as unknown as { [name: string]: unknown } | undefined)?.[name];
  }
}

/** The beginning of a request as text. */
function headOf(chunk: string | Uint8Array): string {
  if (typeof chunk === 'string') return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1', 0, 8192);
}

/** Of a response's first bytes, `HTTP/1.1 200 OK`; 0 if they are too few. */
function statusCodeOf(chunk: Buffer): number {
  let code = 0;
  for (let at = 9; at < 12; at++) {
    const digit = (chunk[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    code = code * 10 + digit;
  }
  return code;
}
