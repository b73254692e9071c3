/** Elements on a machine: `elements.js ADDRESS REGISTRARS COUNT`. Prints their identifiers once all are registered. */

import { once } from 'node:events';
import { createServer, OperationalScope } from '../../lib/index.js';

const [, , host, registrars, count] = process.argv as [string, string, string, string, string];
const identifiers = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const server = createServer((socket) => socket.pipe(socket));
    server.listen({ poolHandle: 'echo', scope: new OperationalScope({ registrars }), host });
    await once(server, 'registered');
    return server.peIdentifier;
  }),
);
process.stdout.write(`${JSON.stringify(identifiers)}\n`);
