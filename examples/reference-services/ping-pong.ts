/**
 * The ping-pong service of the reference implementation (PingPongPool, PPID 33), served and used over SCTP. An element
 * answers each Ping with a Pong that carries the next reply number, and leaves that number with the user as a cookie; so the
 * numbers go on when another element takes over.
 *
 *    Ping:   type 1, flags, length (16 bits), message number (64 bits), data
 *    Pong:   type 2, flags, length (16 bits), message number (64 bits), reply number (64 bits), data
 *    Cookie: the text "<PP-TD1>", next reply number (64 bits)
 */

import rserpool, { type OperationalScope, type Server, type Socket } from '../../lib/index.js';

export const pingPongPool = 'PingPongPool';
export const pingPongPpid = 33;

const cookieText = '<PP-TD1>';
const pingLength = 12;
const pongLength = 20;

export function encodePing(messageNumber: bigint, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const ping = Buffer.alloc(pingLength + data.length);
  ping[0] = 1;
  ping.writeUInt16BE(ping.length, 2);
  ping.writeBigUInt64BE(messageNumber, 4);
  ping.set(data, pingLength);
  return ping;
}

/** The Pong to a Ping; undefined if that is none. */
function answer(bytes: Uint8Array, replyNumber: bigint): Uint8Array | undefined {
  const ping = Buffer.from(bytes);
  if (ping.length < pingLength || ping[0] !== 1 || ping.readUInt16BE(2) !== ping.length) return undefined;
  const pong = Buffer.alloc(pongLength + ping.length - pingLength);
  pong[0] = 2;
  pong.writeUInt16BE(pong.length, 2);
  pong.writeBigUInt64BE(ping.readBigUInt64BE(4), 4);
  pong.writeBigUInt64BE(replyNumber, 12);
  pong.set(ping.subarray(pingLength), pongLength);
  return pong;
}

export interface Pong {
  readonly messageNumber: bigint;
  readonly replyNumber: bigint;
}

export function decodePong(bytes: Uint8Array): Pong | undefined {
  const pong = Buffer.from(bytes);
  if (pong.length < pongLength || pong[0] !== 2 || pong.readUInt16BE(2) !== pong.length) return undefined;
  return { messageNumber: pong.readBigUInt64BE(4), replyNumber: pong.readBigUInt64BE(12) };
}

function encodeCookie(replyNumber: bigint): Uint8Array {
  const cookie = Buffer.alloc(16);
  cookie.write(cookieText, 'latin1');
  cookie.writeBigUInt64BE(replyNumber, 8);
  return cookie;
}

/** Where a session goes on: what its cookie says, else 1. */
function nextReply(cookie: Uint8Array | undefined): bigint {
  if (cookie === undefined || cookie.length !== 16) return 1n;
  const bytes = Buffer.from(cookie);
  return bytes.toString('latin1', 0, 8) === cookieText ? bytes.readBigUInt64BE(8) : 1n;
}

/** An element of the pool; `listen` as `Server.listen` takes it. */
export function servePingPong(listen: Omit<Parameters<Server['listen']>[0] & object, 'poolHandle'>): Server {
  const server = rserpool.createServer((socket: Socket) => {
    let replyNumber = nextReply(socket.cookie);
    socket.on('message', (message) => {
      const pong = answer(message.data, replyNumber);
      if (pong === undefined) return;
      replyNumber++;
      // Before the Pong: whoever has seen that has the number after it.
      socket.setCookie(encodeCookie(replyNumber));
      message.reply(pong, { ppid: pingPongPpid });
    });
  });
  server.listen({ ...listen, poolHandle: pingPongPool } as never);
  return server;
}

/** Sends a Ping every `interval` ms; `onPong` hears of each answer. */
export function usePingPong(scope: OperationalScope, interval: number, onPong: (pong: Pong) => void): Socket {
  const socket = rserpool.connect({ poolHandle: pingPongPool, scope, mappings: ['sctp'] });
  let messageNumber = 0n;
  socket.on('message', (message) => {
    const pong = decodePong(message.data);
    message.acknowledge();
    if (pong !== undefined) onPong(pong);
  });
  const timer = setInterval(() => socket.send(encodePing(++messageNumber), { ppid: pingPongPpid }), interval);
  socket.on('close', () => clearInterval(timer));
  return socket;
}
