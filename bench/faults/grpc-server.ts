/** What the gRPC clients talk to (`grpc-server.js EXECUTIONS PORT`; 0: any): the same handler, one message an answer. */

import { setTimeout as pause } from 'node:timers/promises';
import { type GrpcAnswer, grpcService, loadGrpc } from '../session/packages.js';
import { executed } from './execution-report.js';
import { encodeAnswer, idOf, longestTime, reportReady } from './load.js';

const grpc = loadGrpc();
const server = new grpc.Server();
let identity = Number(process.argv[3]);
server.addService(
  { answer: grpcService.answer as (typeof grpcService)[string] },
  {
    answer: async (call: { readonly request: Uint8Array }, answered: GrpcAnswer) => {
      const id = idOf(call.request);
      executed(id, false);
      await pause(Math.random() * longestTime);
      const answer = encodeAnswer(id, 1);
      // Who answered, so that the one that serves can be killed.
      answer.writeUInt32BE(identity, 8);
      answered(null, answer);
    },
  },
);
server.bindAsync(`127.0.0.1:${identity}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  identity = port;
  reportReady(identity);
});
process.on('disconnect', () => process.exit());
