/** How connections end, and time-outs. */

import { once } from 'node:events';
import { asNet, type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const cases: Case[] = [
  {
    name: 'without allowHalfOpen the end of the far side ends ours',
    expected: ['end', 'finish', 'close false'],
    async run(stage) {
      const { client, served } = await stage.pair();
      client.resume();
      stage.watch(client, ['end', 'finish', 'close']);
      served.end();
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'with allowHalfOpen at both sides each ends when it wants to',
    expected: ['request', 'answer', 'close false'],
    async run(stage) {
      const { client, served } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      stage.watch(client, ['close']);
      client.end('request');
      const request = await textOf(served);
      const answer = textOf(client);
      served.end('answer');
      const closing = closed(client);
      const got = await answer;
      await closing;
      return [request, got, ...stage.log];
    },
  },
  {
    name: 'after the far side’s end a half-open socket is writable still',
    expected: [true, false, 'writeOnly'],
    async run(stage) {
      const { client, served } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      served.resume();
      client.resume();
      served.end();
      await once(client, 'end');
      return [client.writable, client.readable, client.readyState];
    },
  },
  {
    name: 'after its own end a socket is readable still',
    expected: [false, true, 'readOnly'],
    async run(stage) {
      const { client } = await stage.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      client.end();
      await once(client, 'finish');
      return [client.writable, client.readable, client.readyState];
    },
  },
  {
    name: 'a write after the far side’s end is an error where half-open sockets are not allowed',
    expected: ['EPIPE', 'This socket has been ended by the other party'],
    async run(stage) {
      const { client, served } = await stage.pair();
      client.resume();
      served.end();
      await once(client, 'end');
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
        client.on('error', () => {});
        client.write('late', (one) => resolve(one as NodeJS.ErrnoException));
      });
      return [error.code, error.message];
    },
  },
  {
    name: "'finish' comes before 'close', 'close' last and once",
    expected: ['finish', 'end', 'close false'],
    async run(stage) {
      const client = await stage.echo();
      client.resume();
      stage.watch(client, ['finish', 'end', 'close', 'error']);
      client.end('x');
      await closed(client);
      await turn();
      return stage.log;
    },
  },
  {
    name: 'destroy() emits close without error, and nothing else',
    expected: ['close false', true],
    async run(stage) {
      const { client } = await stage.pair();
      stage.watch(client, ['end', 'finish', 'error', 'close']);
      client.destroy();
      await closed(client);
      stage.note(client.destroyed);
      return stage.log;
    },
  },
  {
    name: 'destroy(error) emits error and then close with hadError, later than the call',
    expected: ['called', 'error mine', 'close true'],
    async run(stage) {
      const { client } = await stage.pair();
      stage.watch(client, ['error', 'close']);
      client.destroy(new Error('mine'));
      stage.note('called');
      await closed(client);
      return stage.log;
    },
  },
  {
    name: 'destroy returns the socket, and a second destroy does nothing',
    expected: [true, true, 'error first', 'close true'],
    async run(stage) {
      const { client } = await stage.pair();
      stage.watch(client, ['error', 'close']);
      stage.note(client.destroy(new Error('first')) === client);
      stage.note(client.destroy(new Error('second')) === client);
      await closed(client);
      await turn();
      return stage.log;
    },
  },
  {
    name: 'destroyed, closed and errored say what happened',
    expected: [
      [false, false, null],
      [true, true, 'mine'],
      [true, true, 'mine'],
    ],
    async run(stage) {
      const { client } = await stage.pair();
      const facts = (): unknown[] => [client.destroyed, client.closed, client.errored?.message ?? null];
      stage.note(facts());
      client.on('error', () => {}).destroy(new Error('mine'));
      stage.note(facts());
      await closed(client);
      stage.note(facts());
      return stage.log;
    },
  },
  {
    name: 'readyState is closed after destroy, and readable and writable are false',
    expected: ['open', 'closed', false, false],
    async run(stage) {
      const { client } = await stage.pair();
      stage.note(client.readyState);
      client.destroy();
      return [...stage.log, client.readyState, client.readable, client.writable];
    },
  },
  {
    name: 'destroyed sockets keep their counts of bytes',
    expected: [5, 5],
    async run(stage) {
      const client = await stage.echo();
      client.resume().end('hello');
      await closed(client);
      return [client.bytesRead, client.bytesWritten];
    },
  },
  {
    name: 'the far side of a destroyed socket closes too',
    expected: true,
    async run(stage) {
      const { client, served } = await stage.pair();
      served.on('error', () => {}).resume();
      const closing = closed(served);
      client.destroy();
      await closing;
      return served.destroyed;
    },
  },
  {
    name: 'resetAndDestroy closes without error at its own side, and destroys the socket',
    expected: [true, 'close false', true],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.on('error', () => {});
      stage.watch(client, ['error', 'close']);
      stage.note(client.resetAndDestroy() === client);
      await closed(client);
      stage.note(client.destroyed);
      return stage.log;
    },
  },
  {
    name: 'the far side of a reset socket closes with an error',
    expected: ['close true'],
    async run(stage) {
      const { client, served } = await stage.pair();
      served.on('error', () => {}).resume();
      stage.watch(served, ['close']);
      const closing = closed(served);
      client.resetAndDestroy();
      await closing;
      return stage.log;
    },
  },
  {
    name: 'resetAndDestroy of a socket that never connected is ERR_SOCKET_CLOSED',
    expected: ['error ERR_SOCKET_CLOSED'],
    async run(stage) {
      const socket = stage.adopt(new stage.net.Socket());
      stage.watch(socket, ['error']);
      socket.resetAndDestroy();
      await turn();
      return stage.log;
    },
  },
  {
    name: 'end right after connect, with data, closes both sides in order',
    expected: ['all', 'close false'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const accepted = once(server, 'connection');
      const client = stage.connect(server);
      stage.watch(client, ['close']);
      client.resume().end('all');
      const [served] = (await accepted) as [NodeJS.ReadableStream];
      const closing = closed(client);
      const got = await textOf(served);
      await closing;
      return [got, ...stage.log];
    },
  },
  {
    name: 'an error that nobody listens for is thrown as an uncaught exception is',
    expected: ['unheard'],
    async run(stage) {
      const { client } = await stage.pair();
      const heard = new Promise<Error>((resolve) => {
        client.once('newListener', () => {});
        const { emit } = client;
        client.emit = ((event: string, ...args: unknown[]) => {
          if (event !== 'error') return (emit as (...all: unknown[]) => boolean).call(client, event, ...args);
          try {
            return (emit as (...all: unknown[]) => boolean).call(client, event, ...args);
          } catch (error) {
            resolve(error as Error);
            return true;
          }
        }) as never;
      });
      client.destroy(new Error('unheard'));
      return [(await heard).message];
    },
  },
  {
    name: "setTimeout emits 'timeout' after idleness, and the socket goes on",
    expected: ['timeout', false, 'still'],
    async run(stage) {
      const client = await stage.echo();
      await once(client, 'connect');
      client.setTimeout(20);
      await once(client, 'timeout');
      stage.note('timeout');
      stage.note(client.destroyed);
      client.setTimeout(0);
      client.end('still');
      stage.note(await textOf(client));
      return stage.log;
    },
  },
  {
    name: 'the callback of setTimeout is a listener of timeout, once',
    expected: [1, 'callback', 0],
    async run(stage) {
      const { client } = await stage.pair();
      const called = new Promise<void>((resolve) => {
        client.setTimeout(20, () => {
          stage.note('callback');
          resolve();
        });
      });
      const listeners = client.listenerCount('timeout');
      await called;
      return [listeners, ...stage.log, client.listenerCount('timeout')];
    },
  },
  {
    name: 'setTimeout(0, callback) takes the callback away again, and timeout says the time',
    expected: [1, 50, 0, 0],
    async run(stage) {
      const { client } = await stage.pair();
      const callback = (): void => {};
      client.setTimeout(50, callback);
      stage.note(client.listenerCount('timeout'));
      stage.note(client.timeout);
      client.setTimeout(0, callback);
      stage.note(client.listenerCount('timeout'));
      stage.note(client.timeout);
      return stage.log;
    },
  },
  {
    name: 'a time-out of the options works, and before the connection too',
    expected: ['timeout'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const client = stage.connect(server, { timeout: 20 });
      await once(client, 'timeout');
      return ['timeout'];
    },
  },
  {
    name: 'setTimeout refuses what is no time and no function',
    expected: asNet,
    async run(stage) {
      const { client } = await stage.pair();
      return [
        thrown(() => client.setTimeout('1' as never)),
        thrown(() => client.setTimeout(-1)),
        thrown(() => client.setTimeout(Number.NaN)),
        thrown(() => client.setTimeout(Number.POSITIVE_INFINITY)),
        thrown(() => client.setTimeout(1, 'x' as never)),
        thrown(() => client.setTimeout(0)),
      ];
    },
  },
  {
    name: 'a destroyed socket has no time-out any more',
    expected: ['close false'],
    async run(stage) {
      const { client } = await stage.pair();
      const { client: witness } = await stage.pair();
      stage.watch(client, ['timeout', 'close']);
      client.setTimeout(1);
      witness.setTimeout(2);
      client.destroy();
      await closed(client);
      await once(witness, 'timeout');
      return stage.log;
    },
  },
  {
    name: 'a socket that the server ends after an answer is closed at both sides without errors',
    expected: ['client close false', 'served close false'],
    async run(stage) {
      const { client, served } = await stage.pair();
      client.resume();
      served.resume();
      stage.watch(client, ['close', 'error'], 'client ');
      stage.watch(served, ['close', 'error'], 'served ');
      const both = Promise.all([closed(client), closed(served)]);
      served.end('bye');
      await both;
      return stage.log.sort();
    },
  },
];

inAllWorlds(cases);
