/**
 * A session that an element's process holds with itself, over a byte stream in memory, before it registers. Node compiles
 * a function when it is called for the first time; without this, the first user of a process would wait for that, and the
 * first is often one whose element has just died. Nobody outside can notice it: it has no address, no timers, no registrar
 * and no listeners, and it is over when the call returns.
 */

import { type Clock, systemClock } from '../clock.js';
import { type IncomingMessage, noMappingHandler } from '../mapping/mapping.js';
import { TcpMappingConnection } from '../mapping/tcp/connection.js';
import { tcpMappingOptions } from '../mapping/tcp/options.js';
import { ResumableSessions } from '../mapping/tcp/resumable-sessions.js';
import { ElementSession } from '../session/element-session.js';
import { RetainedMessage } from '../session/message.js';
import type { SessionHandler } from '../session/session.js';
import { type ByteStream, type ByteStreamHandler, noHandler, type TransportAddress } from '../transport/transport.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { incoming } from './incoming.js';
import { Socket } from './socket.js';

const poolHandle = 'rehearsal';
const address: TransportAddress = { host: '127.0.0.1', port: 1 };
const rounds = 3;

/** Time stands still; what is to be done later is done by `run`. */
class RehearsalClock implements Clock {
  #pending: (() => void)[] = [];

  now(): number {
    return 0;
  }

  wallTime(): number {
    return 0;
  }

  setTimeout(): { cancel(): void } {
    return { cancel() {} };
  }

  defer(run: () => void): void {
    this.#pending.push(run);
  }

  nextTurn(run: () => void): void {
    this.#pending.push(run);
  }

  run(): void {
    for (let run = this.#pending.shift(); run !== undefined; run = this.#pending.shift()) run();
  }
}

/** One end of a byte stream; what is written to it comes at the other end. */
class RehearsalStream implements ByteStream {
  readonly localAddress = address;
  readonly remoteAddress = address;
  readonly bufferedBytes = 0;
  handler: ByteStreamHandler = noHandler;
  readonly #clock: Clock;
  peer: RehearsalStream | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const bytes = Buffer.concat(chunks);
    this.#clock.nextTurn(() => this.peer?.handler.onData(bytes));
    return true;
  }

  end(): void {
    this.#clock.nextTurn(() => this.peer?.handler.onEnd());
  }

  destroy(): void {}
  pause(): void {}
  resume(): void {}
  ref(): void {}
  unref(): void {}
}

let isOver = false;

/** Rehearses, once in a process, and only in real time. */
export function rehearseOnce(clock: Clock): void {
  if (isOver || clock !== systemClock) return;
  isOver = true;
  rehearse();
}

/** Some milliseconds of work. Returns how many answers came, two to a message. */
export function rehearse(): number {
  const clock = new RehearsalClock();
  const options = tcpMappingOptions();
  const sessionId = new Uint8Array(16);
  const pool = toPoolHandle(poolHandle);
  const usersEnd = new RehearsalStream(clock);
  const elementsEnd = new RehearsalStream(clock);
  usersEnd.peer = elementsEnd;
  elementsEnd.peer = usersEnd;
  const unwanted = { onAsap: () => noHandler, onPlain: () => false, onRefused() {} };
  const onMapping = (stream: ByteStream): ByteStreamHandler => {
    const side = { role: 'element', peIdentifier: 1, isMeant: () => true } as const;
    const sessions = new ResumableSessions(clock, options);
    const connection = new TcpMappingConnection(stream, clock, options, { ...side, sessions });
    const begin = (session: ElementSession): SessionHandler => {
      const socket = new Socket({ allowHalfOpen: false });
      return socket.attach(session, {
        ...options,
        scope: { clock },
        poolHandle,
        peIdentifier: 1,
        cookie: undefined,
        onMessage: async (message) => {
          message.reply(message.data, { last: false });
          message.reply(message.data);
        },
      });
    };
    connection.handler = new ElementSession(connection, { begin, onNotBegun() {} }, { clock, ...options });
    return connection.streamHandler;
  };
  elementsEnd.handler = incoming(elementsEnd, clock, { timeout: 0 }, { ...unwanted, onMapping });
  const hello = { sessionId, failedOver: true, cookieFollows: false };
  const user = new TcpMappingConnection(usersEnd, clock, options, {
    role: 'user',
    poolHandle: pool,
    peIdentifier: 1,
    ...hello,
  });
  usersEnd.handler = user.streamHandler;
  let answers = 0;
  const onMessage = (message: IncomingMessage): void => {
    answers++;
    user.take(message);
  };
  user.handler = { ...noMappingHandler, onMessage };
  clock.run();
  for (let sequence = 1; sequence <= rounds; sequence++) {
    user.send(new RetainedMessage('message', sequence, new Uint8Array(100), {}, 0, false, undefined));
    clock.run();
  }
  return answers;
}
