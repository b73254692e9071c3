/**
 * The job service of the reference implementation (CalcAppPool, PPID 34): a user hands an element a job of some size, the
 * element accepts or rejects it, works it off, keeps the user informed, and leaves its progress with it as a cookie.
 *
 *    type, flags, length (16 bits), job (32 bits), size (64 bits), completed (64 bits)
 *    types: 1 Request, 2 Accept, 3 Reject, 4 Abort, 5 Complete, 6 KeepAlive, 7 Ack of a KeepAlive
 *    Cookie: job (32 bits), size (64 bits), completed (64 bits)
 */

import rserpool, { type OperationalScope, type Server, type Socket } from '../../lib/index.js';

export const calcAppPool = 'CalcAppPool';
export const calcAppPpid = 34;

const type = { request: 1, accept: 2, reject: 3, abort: 4, complete: 5, keepAlive: 6, keepAliveAck: 7 } as const;
const messageLength = 24;
const cookieLength = 20;

interface Job {
  readonly id: number;
  readonly size: number;
  completed: number;
}

function encode(what: number, { id, size, completed }: Job): Uint8Array {
  const message = Buffer.alloc(messageLength);
  message[0] = what;
  message.writeUInt16BE(messageLength, 2);
  message.writeUInt32BE(id, 4);
  message.writeBigUInt64BE(BigInt(Math.round(size)), 8);
  message.writeBigUInt64BE(BigInt(Math.round(completed)), 16);
  return message;
}

function decode(bytes: Uint8Array): ({ readonly what: number } & Job) | undefined {
  const message = Buffer.from(bytes);
  if (message.length !== messageLength || message.readUInt16BE(2) !== messageLength) return undefined;
  const [size, completed] = [message.readBigUInt64BE(8), message.readBigUInt64BE(16)].map(Number) as [number, number];
  return { what: message[0]!, id: message.readUInt32BE(4), size, completed };
}

function cookieOf({ id, size, completed }: Job): Uint8Array {
  const cookie = Buffer.alloc(cookieLength);
  cookie.writeUInt32BE(id, 0);
  cookie.writeBigUInt64BE(BigInt(Math.round(size)), 4);
  cookie.writeBigUInt64BE(BigInt(Math.round(completed)), 12);
  return cookie;
}

function jobOf(cookie: Uint8Array | undefined): Job | undefined {
  if (cookie?.length !== cookieLength) return undefined;
  const bytes = Buffer.from(cookie);
  const [size, completed] = [bytes.readBigUInt64BE(4), bytes.readBigUInt64BE(12)].map(Number) as [number, number];
  return { id: bytes.readUInt32BE(0), size, completed };
}

/** Works off `capacity` units a second; tells the user of its progress every `interval` ms. */
export function serveCalcApp(listen: object, capacity: number, interval: number): Server {
  const server = rserpool.createServer((socket: Socket) => {
    let job = jobOf(socket.cookie);
    let timer: NodeJS.Timeout | undefined;
    const tell = (what: number): void => {
      if (job !== undefined) socket.send(encode(what, job), { ppid: calcAppPpid });
    };
    const work = (): void => {
      if (job === undefined) return;
      job.completed = Math.min(job.size, job.completed + (capacity * interval) / 1000);
      if (job.completed >= job.size) {
        clearInterval(timer);
        tell(type.complete);
        job = undefined;
        return;
      }
      socket.setCookie(cookieOf(job));
      tell(type.keepAlive);
    };
    const begin = (): void => {
      clearInterval(timer);
      timer = setInterval(work, interval);
    };
    if (job !== undefined) begin();
    socket.on('close', () => clearInterval(timer));
    socket.on('message', (message) => {
      const received = decode(message.data);
      message.acknowledge();
      if (received === undefined) return;
      if (received.what === type.request) {
        job = { id: received.id, size: received.size, completed: received.completed };
        socket.setCookie(cookieOf(job));
        tell(type.accept);
        begin();
      } else if (received.what === type.keepAlive) tell(type.keepAliveAck);
      else if (received.what === type.abort) {
        clearInterval(timer);
        job = undefined;
      }
    });
  });
  server.listen({ mappings: ['sctp'], ...listen, poolHandle: calcAppPool });
  return server;
}

export interface JobEvents {
  onAccepted(): void;
  onProgress(completed: number): void;
  onComplete(): void;
}

/** Hands one job to the pool. The socket is the caller's to end. */
export function useCalcApp(scope: OperationalScope, size: number, events: JobEvents): Socket {
  const socket = rserpool.connect({ poolHandle: calcAppPool, scope, mappings: ['sctp'] });
  const job: Job = { id: 1, size, completed: 0 };
  socket.on('message', (message) => {
    const received = decode(message.data);
    message.acknowledge();
    if (received === undefined || received.id !== job.id) return;
    if (received.what === type.accept) events.onAccepted();
    else if (received.what === type.keepAlive) {
      events.onProgress(received.completed);
      socket.send(encode(type.keepAliveAck, { ...job, completed: received.completed }), { ppid: calcAppPpid });
    } else if (received.what === type.complete) events.onComplete();
  });
  socket.send(encode(type.request, job), { ppid: calcAppPpid });
  return socket;
}
