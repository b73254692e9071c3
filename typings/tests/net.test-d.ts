import type net from 'node:net';
import type tls from 'node:tls';
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import rserpool, {
  type Cookie,
  connect,
  createConnection,
  createServer,
  type FailoverCallback,
  type FailoverFacts,
  type Message,
  OperationalScope,
  type PoolConnectOptions,
  type PoolListenOptions,
  type Retrieved,
  RserpoolError,
  type RserpoolErrorCode,
  type Server,
  Socket,
} from '../../dist/lib/index.js';

// connect: net's forms and ours give our Socket, which is net's.
expectType<Socket>(connect({ poolHandle: 'echo' }));
expectType<Socket>(connect('pool:echo', () => {}));
expectType<Socket>(connect(7));
expectType<Socket>(connect(7, 'localhost', () => {}));
expectType<Socket>(connect({ port: 7, host: 'localhost', timeout: 5 }));
expectType<Socket>(connect('/run/socket'));
expectType<Socket>(createConnection({ poolHandle: 'echo', allowHalfOpen: true }));
expectType<Socket>(rserpool.connect({ poolHandle: 'echo' }));
expectAssignable<net.Socket>(connect('pool:echo'));
expectAssignable<NodeJS.ReadWriteStream>(connect('pool:echo'));
expectType<tls.TLSSocket>(connect({ poolHandle: 'echo', mode: 'nameservice', tls: true }));
expectType<Socket>(connect({ poolHandle: 'echo', tls: { servername: 'echo' } }));
expectType<Socket>(connect({ poolHandle: 'echo', mode: 'nameservice' }));
expectError(connect({ poolHandle: 5 }));
expectError(connect({ poolHandle: 'echo', connectTimeout: '5 s' }));
expectError(connect({ poolHandle: 'echo', mapping: 'sctp' }));

// createServer and listen.
const server = createServer((socket) => {
  expectType<Socket>(socket);
  expectType<Cookie | undefined>(socket.cookie);
});
expectType<Server>(server);
expectAssignable<net.Server>(server);
expectType<Server>(createServer({ allowHalfOpen: true }, () => {}));
expectType<Server>(server.listen({ poolHandle: 'echo', policy: 'leastUsed', load: 0.5, registrationLife: 5000 }));
expectType<Server>(server.listen(7));
expectType<number | undefined>(server.peIdentifier);
expectType<boolean>(server.registered);
expectError(createServer(5));
expectNotAssignable<PoolListenOptions>({ poolHandle: 'echo', policy: 'mine' });
expectNotAssignable<PoolListenOptions>({});

// Sockets.
const socket = new Socket();
expectType<'failover' | 'nameservice' | undefined>(socket.mode);
expectAssignable<net.Socket>(Socket());
expectType<boolean>(rserpool.isIPv4('127.0.0.1'));
expectAssignable<typeof net>(rserpool);
expectType<boolean>(socket.send('text', { streamId: 1, ppid: 2, failover: false }));
expectType<boolean>(socket.write('text', 'utf8', () => {}));
expectType<Retrieved>(socket.retrieve());
expectType<void>(socket.failOver());
expectType<void>(socket.setCookie(new Uint8Array(1)));
expectError(socket.send(5));
expectError(socket.send('text', { streamId: '1' }));

// Messages and how they are taken.
const options: PoolConnectOptions = {
  poolHandle: 'echo',
  acknowledge: 'manual',
  onMessage: async (message) => {
    expectType<Message>(message);
    expectType<Uint8Array>(message.data);
    expectType<boolean>(message.redelivered);
    expectType<boolean>(message.reply(message.data, { last: false }));
    message.acknowledge();
    expectError(() => {
      message.sequence = 1;
    });
  },
  scope: new OperationalScope({ registrars: 'localhost' }),
};
expectType<string>(options.poolHandle);
expectNotAssignable<PoolConnectOptions>({ poolHandle: 'echo', acknowledge: 'sometimes' });

// Failover callbacks: nothing, some, or later.
expectAssignable<FailoverCallback>(() => {});
expectAssignable<FailoverCallback>(() => []);
expectAssignable<FailoverCallback>((facts: FailoverFacts) => facts.unacknowledged);
expectAssignable<FailoverCallback>(async ({ unsent }: FailoverFacts) => unsent);
expectNotAssignable<FailoverCallback>(() => true);
expectNotAssignable<FailoverCallback>(() => ['text']);

// Codes are literals.
const error = new RserpoolError('ERR_RSERPOOL_FAILOVER_EXHAUSTED');
expectType<RserpoolErrorCode>(error.code);
if (error.code === 'ERR_RSERPOOL_LINGER_TIMEOUT') expectType<'ERR_RSERPOOL_LINGER_TIMEOUT'>(error.code);
