/** A registrar and its operational scope on loopback, for tests with real sockets. */

import { once } from 'node:events';
import { OperationalScope } from '../../lib/asap/scope.js';
import { createRegistrar } from '../../lib/registrar/registrar.js';

export const host = '127.0.0.1';

export interface Loopback {
  readonly scope: OperationalScope;
  close(): Promise<void>;
}

export async function loopback(): Promise<Loopback> {
  const registrar = createRegistrar({ host, port: 0 });
  registrar.listen();
  const [{ port }] = (await once(registrar, 'listening')) as [{ port: number }];
  const scope = new OperationalScope({ registrars: `${host}:${port}` });
  return {
    scope,
    async close() {
      scope.close();
      await new Promise<void>((resolve) => void registrar.close(resolve));
    },
  };
}
