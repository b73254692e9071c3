/** The libraries that we compare with: bench/package.json has them, not the package itself. */

import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This file runs from dist/bench/session. */
const require = createRequire(join(fileURLToPath(new URL('../../../', import.meta.url)), 'bench/package.json'));

/** As much of `ws` as we use. */
export interface WebSocket extends EventEmitter {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array, options: { readonly binary: true }, sent: (error?: Error) => void): void;
}
export interface WebSocketPackage {
  readonly WebSocket: new (url: string, options: { readonly perMessageDeflate: false }) => WebSocket;
  readonly WebSocketServer: new (options: {
    readonly host: string;
    readonly port: number;
    readonly perMessageDeflate: false;
  }) => EventEmitter & { address(): { readonly port: number } };
}

/** As much of `@grpc/grpc-js` as we use. */
export interface GrpcCall extends EventEmitter {
  write(bytes: Uint8Array): boolean;
  end(): void;
}
export type GrpcAnswer = (error: Error | null, answer?: Uint8Array) => void;
export interface GrpcClient {
  answer(bytes: Uint8Array, answered: GrpcAnswer): void;
  sink(): GrpcCall;
  echo(): GrpcCall;
  count(): GrpcCall;
  close(): void;
}
export interface GrpcMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (bytes: Uint8Array) => Uint8Array;
  readonly requestDeserialize: (bytes: Uint8Array) => Uint8Array;
  readonly responseSerialize: (bytes: Uint8Array) => Uint8Array;
  readonly responseDeserialize: (bytes: Uint8Array) => Uint8Array;
}
export interface GrpcPackage {
  readonly credentials: { createInsecure(): unknown };
  readonly ServerCredentials: { createInsecure(): unknown };
  readonly Server: new () => {
    addService(service: Readonly<Record<string, GrpcMethod>>, handlers: Readonly<Record<string, unknown>>): void;
    bindAsync(at: string, credentials: unknown, bound: (error: Error | null, port: number) => void): void;
  };
  makeGenericClientConstructor(
    service: Readonly<Record<string, GrpcMethod>>,
    name: string,
  ): new (
    at: string,
    credentials: unknown,
    options?: Readonly<Record<string, unknown>>,
  ) => GrpcClient;
}

export function loadWebSockets(): WebSocketPackage {
  return require('ws') as WebSocketPackage;
}

export function loadGrpc(): GrpcPackage {
  return require('@grpc/grpc-js') as GrpcPackage;
}

const same = (bytes: Uint8Array): Uint8Array => bytes;

function method(name: string, streams: boolean): GrpcMethod {
  return {
    path: `/bench/${name}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** The services of the benchmark as gRPC has them: bytes as they are, no protocol buffers to pay for. */
export const grpcService: Readonly<Record<string, GrpcMethod>> = {
  sink: method('sink', true),
  echo: method('echo', true),
  count: method('count', true),
  answer: method('answer', false),
};
