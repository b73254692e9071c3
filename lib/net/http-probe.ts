/** A sign of life from an HTTP server: any answer at all to `OPTIONS *` (RFC 9110 section 9.3.7) on a fresh connection. */

import http from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { Probe } from './element-watch.js';
import type { PoolServer } from './select-server.js';

/** `timeout`: milliseconds for connection and answer together. `dial` gives a connecting socket, over TLS if need be. */
export function httpProbe(clock: Clock, timeout: number, dial: (server: PoolServer) => Socket): Probe {
  return (server, callback) => {
    let pending = true;
    const settle = (alive: boolean): void => {
      if (!pending) return;
      pending = false;
      timer.cancel();
      request.destroy();
      callback(alive);
    };
    const request = http.request({
      method: 'OPTIONS',
      path: '*',
      headers: { host: server.address, connection: 'close' },
      createConnection: () => dial(server).unref(),
    });
    request.on('response', () => settle(true));
    // What does not parse was said by somebody; anything else says that nobody is there.
    request.on('error', (error: NodeJS.ErrnoException) => settle(error.code?.startsWith('HPE_') === true));
    request.end();
    // A process that was frozen or busy runs its timers before it reads what has been waiting for it.
    const timer = clock.setTimeout(() => clock.nextTurn(() => settle(false)), timeout, 'background');
    return {
      cancel() {
        pending = false;
        timer.cancel();
        request.destroy();
      },
    };
  };
}
