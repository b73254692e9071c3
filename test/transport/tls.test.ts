import { tlsTransport } from '../../lib/transport/tls/tls.js';
import type { TransportBench } from './bench.js';
import { byteStreamCompliance } from './compliance.js';
import { certificateFor } from './tls/certificates.js';

const certificate = certificateFor('streams.test');
// With TLS 1.3 a session ticket may still be unread when a stream is destroyed, and then the system resets the connection.
const client = { ca: certificate.cert, maxVersion: 'TLSv1.2' } as const;
const transport = tlsTransport({ client, server: certificate }, 'streams.test');

const bench: TransportBench = {
  near: transport,
  far: transport,
  farHost: '127.0.0.1',
  turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  release: async () => {},
};

byteStreamCompliance('tls', async () => bench, { resets: false });
