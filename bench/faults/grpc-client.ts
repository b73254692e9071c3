/** A gRPC client of three servers: to the first that can be reached, with or without the retries of its service config. */

import { type GrpcClient, grpcService, loadGrpc } from '../session/packages.js';
import { encodeRequest, idOf } from './load.js';

const retryPolicy = {
  maxAttempts: 5,
  initialBackoff: '0.01s',
  maxBackoff: '0.1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

export class GrpcRequests {
  readonly #client: GrpcClient;
  readonly #onAnswered: (id: number) => void;
  /** The port that answered last, and how often that has changed. */
  port = 0;
  changes = -1;
  /** Requests that ended with an error. */
  failed = 0;

  constructor(ports: readonly number[], retry: boolean, onAnswered: (id: number) => void) {
    const grpc = loadGrpc();
    const Client = grpc.makeGenericClientConstructor(grpcService, 'bench');
    const config = { methodConfig: [{ name: [{ service: 'bench' }], ...(retry && { retryPolicy }) }] };
    this.#onAnswered = onAnswered;
    this.#client = new Client(
      `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
      grpc.credentials.createInsecure(),
      {
        'grpc.service_config': JSON.stringify(config),
        'grpc.enable_retries': retry ? 1 : 0,
        'grpc.initial_reconnect_backoff_ms': 100,
        // Else both clients would be one channel.
        'grpc.use_local_subchannel_pool': 1,
      },
    );
  }

  request(id: number): void {
    this.#client.answer(encodeRequest(id), (error, answer) => {
      if (error !== null || answer === undefined) {
        this.failed++;
        return;
      }
      const port = Buffer.from(answer).readUInt32BE(8);
      if (port !== this.port) this.changes++;
      this.port = port;
      this.#onAnswered(idOf(answer));
    });
  }

  stop(): void {
    this.#client.close();
  }
}
