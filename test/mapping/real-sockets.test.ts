import test from 'ava';
import { systemClock } from '../../lib/clock.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { seededRandom } from '../../lib/random.js';
import { tcpTransport } from '../../lib/transport/tcp/tcp.js';
import type { ByteStreamHandler, TransportAddress } from '../../lib/transport/transport.js';
import { elementSide, Owner, userSide } from './pair.js';

test('over real sockets: messages of all sizes are answered byte for byte, and the end is orderly', async (t) => {
  const options = tcpMappingOptions({ failureTimeout: 20_000, heartbeatInterval: 20_000 });
  const random = seededRandom(9);
  const sent = Array.from({ length: 400 }, (_, i) =>
    random.bytes(i % 40 === 0 ? 300_000 : Math.floor(random.uniform() * 9000)),
  );
  let element: Owner | undefined;
  let listener: { close(): void } | undefined;
  const address = await new Promise<TransportAddress>((resolve, reject) => {
    listener = tcpTransport.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onListening: resolve,
        onError: reject,
        onConnection(stream): ByteStreamHandler {
          const connection = new TcpMappingConnection(stream, systemClock, options, elementSide);
          const owner = new Owner(connection);
          element = owner;
          owner.onArrival = (message) => {
            if (message.type === 'end') owner.end();
            else owner.send(message.data, { inAnswerTo: message.sequence, lastAnswer: true });
          };
          return connection.streamHandler;
        },
      },
    );
  });
  const user = await new Promise<Owner>((resolve, reject) => {
    tcpTransport.connect(address, {
      onError: reject,
      onOpen(stream): ByteStreamHandler {
        const connection = new TcpMappingConnection(stream, systemClock, options, userSide);
        const owner = new Owner(connection);
        const { onClose } = owner;
        owner.onClose = (error) => {
          onClose.call(owner, error);
          resolve(owner);
        };
        for (const bytes of sent) owner.send(bytes);
        owner.end();
        return connection.streamHandler;
      },
    });
  });
  listener?.close();
  t.is(user.error, undefined);
  t.is(user.acknowledged, sent.length + 1);
  t.deepEqual(
    user.messages.map((message, i) => (message.type === 'end' ? 0 : Buffer.compare(message.data, sent[i]!))),
    [...sent.map(() => 0), 0],
  );
  t.is(user.messages.at(-1)?.type, 'end');
  t.true((user.connection.rtt ?? 0) > 0);
  t.is(element?.error, undefined);
});
