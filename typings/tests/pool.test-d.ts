import { expectAssignable, expectError, expectType } from 'tsd';
import rserpool, {
  type BusinessCard,
  connect,
  createServer,
  type ElementInfo,
  type Message,
  type Pool,
  type PoolElement,
  pool,
  RserpoolError,
  type UndeliveredMessage,
} from '../../dist/lib/index.js';

const one = pool('echo', { connectTimeout: 5, onMessage: (message, from) => void [message.data, from.identifier] });
expectType<Pool>(one);
expectType<Pool>(rserpool.pool('echo'));
expectType<Promise<ElementInfo>>(one.send('text'));
expectType<Promise<ElementInfo>>(one.send(new Uint8Array(1), { to: 'last', failover: false }));
expectType<Promise<ElementInfo>>(one.send('text', { element: 5 }));
expectType<Promise<ElementInfo>>(one.send('text', { address: { host: '10.0.0.1', port: 7 } }));
expectType<Promise<readonly ElementInfo[]>>(one.send('text', { to: 'all', self: true }));
expectType<Promise<Message>>(one.request('text', { timeout: 5, signal: new AbortController().signal }));
expectType<Promise<readonly PoolElement[]>>(one.elements());
expectType<void>(one.purge());
expectType<Promise<void>>(one.close());
expectError(one.send(5));
expectError(one.send('text', { to: 'some' }));
expectError(one.request('text', { to: 'all' }));
expectType<UndeliveredMessage | undefined>(new RserpoolError('ERR_RSERPOOL_UNDELIVERED').undelivered);

// Business cards, hand-over, cookies.
const server = createServer().listen({
  poolHandle: 'echo',
  cookieSecret: ['one secret of the pool', new Uint8Array(16)],
  cookieProtection: 'encrypted',
  handOverOn: 'SIGTERM',
  onMessage: (message) => void message.reply('text'),
});
expectType<Promise<void>>(server.handOver());
expectType<void>(server.setBusinessCard([]));
const socket = connect({ poolHandle: 'echo', server, element: 5, maxRounds: 2 });
expectType<BusinessCard | undefined>(socket.businessCard);
expectAssignable<readonly PoolElement[]>(socket.businessCard?.elements ?? []);
