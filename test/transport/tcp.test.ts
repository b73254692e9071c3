import { tcpTransport } from '../../lib/transport/tcp/tcp.js';
import type { TransportBench } from './bench.js';
import { byteStreamCompliance } from './compliance.js';

const bench: TransportBench = {
  near: tcpTransport,
  far: tcpTransport,
  farHost: '127.0.0.1',
  turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  release: async () => {},
};

byteStreamCompliance('tcp', async () => bench);
