/**
 * A proxy for clients that know nothing of pools: each TCP connection that it accepts becomes a connection to an element.
 * In nameservice mode that is a plain connection, which ends when its element fails; in failover mode a session, which goes
 * on at another element (only elements of `createServer` have those).
 */

import { EventEmitter } from 'node:events';
import net from 'node:net';
import { checkBoolean, checkInteger, checkMilliseconds, checkObject, invalidArgumentValue } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import { diagnosticEvent } from '../diagnostics.js';
import { connect } from '../net/connect.js';
import { checkPoolHandle, checkScope } from '../net/options.js';
import type { Socket } from '../net/socket.js';
import { reset } from '../transport/tcp/tcp.js';

/** Times in milliseconds. */
export interface GatewayOptions {
  readonly poolHandle: string;
  /** Default: 'nameservice'. */
  readonly mode?: 'nameservice' | 'failover';
  /** Default: the scope that all calls without this option share. */
  readonly scope?: OperationalScope;
  /** Connections at a time; one more is closed at once. Default: 1,000. */
  readonly maxConnections?: number;
  /** To reach an element. Default: 30,000. */
  readonly connectTimeout?: number;
  /** Without a byte in either direction, after which both connections are closed; 0: never. Default: 0. */
  readonly idleTimeout?: number;
}

export interface GatewayEvents {
  /** A client's connection was given to an element. */
  connected: [client: net.Socket, element: Socket];
  /** One of them came to its end: with what, if not in order. */
  ended: [client: net.Socket, error: Error | undefined];
  error: [error: Error];
}

const ended = diagnosticEvent<{ poolHandle: string; client: string | undefined; error: Error | undefined }>(
  'gateway',
  'connection-ended',
);

export class Gateway extends EventEmitter<GatewayEvents> {
  readonly #options: GatewayOptions;
  readonly #scope: OperationalScope;
  readonly #server: net.Server;
  readonly #pairs = new Set<{ readonly client: net.Socket; readonly element: Socket }>();

  /** Throws Node's argument errors. */
  constructor(options: GatewayOptions) {
    super();
    checkObject('options', options);
    checkPoolHandle(options.poolHandle);
    const { mode, maxConnections = 1_000, connectTimeout, idleTimeout } = options;
    if (mode !== undefined && mode !== 'nameservice' && mode !== 'failover')
      throw invalidArgumentValue('options.mode', mode, "must be one of: 'nameservice', 'failover'");
    checkInteger('options.maxConnections', maxConnections, 1);
    if (connectTimeout !== undefined) checkMilliseconds('options.connectTimeout', connectTimeout);
    if (idleTimeout !== undefined) checkMilliseconds('options.idleTimeout', idleTimeout);
    this.#options = options;
    this.#scope = checkScope(options.scope);
    // Half of a connection may end before the other, and nothing is read before there is somebody to give it to.
    this.#server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
    this.#server.maxConnections = maxConnections;
    this.#server.on('error', (error) => this.emit('error', error));
  }

  /** Connections under way. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Calls back with where it listens; 'error' if it cannot. */
  listen(at: { readonly port: number; readonly host?: string }, onListening?: (at: net.AddressInfo) => void): this {
    const { port, host = '127.0.0.1' } = at;
    this.#server.listen({ port, host }, () => onListening?.(this.#server.address() as net.AddressInfo));
    return this;
  }

  /** Accepts no more; those that are open go on. `abort`: they are cut off. */
  close(options: { readonly abort?: boolean } = {}, onClosed?: () => void): void {
    checkObject('options', options);
    if (options.abort !== undefined) checkBoolean('options.abort', options.abort);
    this.#server.close(() => onClosed?.());
    if (options.abort !== true) return;
    for (const { client, element } of this.#pairs) {
      client.destroy();
      element.destroy();
    }
  }

  #accept(client: net.Socket): void {
    const { poolHandle, mode = 'nameservice', connectTimeout, idleTimeout = 0 } = this.#options;
    const element = connect({
      poolHandle,
      mode,
      scope: this.#scope,
      allowHalfOpen: true,
      ...(connectTimeout === undefined ? {} : { connectTimeout }),
    });
    const pair = { client, element };
    this.#pairs.add(pair);
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      // The far side is to know that this is no orderly end.
      reset(client);
      element.destroy();
    };
    client.on('error', fail);
    element.on('error', fail);
    const finish = (): void => {
      if (!client.destroyed || !element.destroyed || !this.#pairs.delete(pair)) return;
      if (ended.watched) ended.publish({ poolHandle, client: client.remoteAddress, error: failure });
      this.emit('ended', client, failure);
    };
    client.on('close', () => {
      element.destroy();
      finish();
    });
    element.on('close', () => {
      // What it said last is on its way to the client still.
      if (failure === undefined && !client.writableEnded) client.end();
      else if (failure !== undefined) client.destroy();
      finish();
    });
    if (idleTimeout > 0) {
      const idle = (): void => {
        client.destroy();
        element.destroy();
      };
      client.setTimeout(idleTimeout, idle);
    }
    client.setNoDelay(true);
    element.on('connect', () => {
      element.setNoDelay(true);
      this.emit('connected', client, element);
      client.pipe(element);
      element.pipe(client);
    });
  }
}
