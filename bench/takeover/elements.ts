/**
 * A process of elements: `elements.js REGISTRARS COUNT free|held`. Those that are held back never look for another
 * registrar once they are registered: they move only when one that has taken them over calls them.
 */

import { once } from 'node:events';
import { createServer, type Message, OperationalScope } from '../../lib/index.js';
import { tcpTransport } from '../../lib/transport/tcp/tcp.js';
import type { ByteStreamTransport } from '../../lib/transport/transport.js';
import { poolHandle, report } from './reports.js';

const [, , registrars, count, kind] = process.argv as [string, string, string, string, string];

let held = false;
const holding: ByteStreamTransport = {
  connect(target, callbacks) {
    if (!held) return tcpTransport.connect(target, callbacks);
    const timer = setTimeout(() => callbacks.onError(new Error('held back')), 100);
    return { cancel: () => clearTimeout(timer) };
  },
  listen: (at, callbacks) => tcpTransport.listen(at, callbacks),
};

const servers = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const stream = kind === 'held' ? holding : tcpTransport;
    const server = createServer();
    server.listen({
      poolHandle,
      scope: new OperationalScope({ registrars, transports: { stream } }),
      host: '127.0.0.1',
      onMessage: (message: Message) => void message.reply(message.data),
    });
    await once(server, 'registered');
    return server;
  }),
);
held = true;
report({ type: 'ready', identifiers: servers.map(({ peIdentifier }) => peIdentifier as number) });
process.on('disconnect', () => process.exit());
