/**
 * The status of a registrar over HTTP, on loopback only: it tells who registered what and where, without asking who
 * wants to know.
 *
 *    GET /status           RegistrarStatus as JSON
 *    GET /pools?limit=N    PoolStatus[] as JSON, with at most N elements in all (default 1,000, at most 100,000)
 *    GET /metrics          the numbers of the status for Prometheus
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registrar } from '../registrar/registrar.js';

const defaultLimit = 1_000;
const greatestLimit = 100_000;

/** Counts only grow; the others of the stats are gauges. */
const counts: ReadonlySet<string> = new Set([
  'registrationsAccepted',
  'registrationsRejected',
  'resolutions',
  'pushes',
  'keepAlivesSent',
]);

/** Answers until it is closed. 'listening' or 'error' follows. */
export function serveStatus(registrar: Registrar, port: number): Server {
  const server = createServer((request, response) => answer(registrar, request, response));
  server.listen(port, '127.0.0.1');
  // Whoever watches does not keep a registrar alive that has ended.
  server.unref();
  return server;
}

function answer(registrar: Registrar, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET') {
    send(response, 405, 'text/plain', 'only GET is answered\n');
    return;
  }
  // A web page elsewhere can have its name resolve to this address; a browser then still sends that name.
  if (!isLoopbackName(request.headers.host)) {
    send(response, 403, 'text/plain', 'only requests to a loopback address are answered\n');
    return;
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  switch (url.pathname) {
    case '/status':
      send(response, 200, 'application/json', asJson(registrar.status()));
      return;
    case '/pools':
      send(response, 200, 'application/json', asJson(registrar.pools(limitOf(url))));
      return;
    case '/metrics':
      send(response, 200, 'text/plain; version=0.0.4', metrics(registrar));
      return;
    default:
      send(response, 404, 'text/plain', 'there are /status, /pools?limit=N and /metrics\n');
  }
}

function isLoopbackName(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host);
}

function limitOf(url: URL): number {
  const limit = Number(url.searchParams.get('limit') ?? defaultLimit);
  return Number.isInteger(limit) && limit >= 0 ? Math.min(limit, greatestLimit) : defaultLimit;
}

function send(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}

/** Bytes as hexadecimal digits. */
function asJson(value: unknown): string {
  return `${JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part))}\n`;
}

function metrics(registrar: Registrar): string {
  const { stats, claims, takeovers, peers } = registrar.status();
  const gauges = {
    claims,
    takeovers,
    peers: peers.length,
    connectedPeers: peers.filter((peer) => peer.connected).length,
  };
  return Object.entries({ ...stats, ...gauges })
    .map(([name, value]) => {
      const isCount = counts.has(name);
      const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const full = `rserpool_registrar_${words}${isCount ? '_total' : ''}`;
      return `# TYPE ${full} ${isCount ? 'counter' : 'gauge'}\n${full} ${value}\n`;
    })
    .join('');
}
