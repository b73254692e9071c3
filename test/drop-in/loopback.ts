/** A registrar and its operational scope on loopback, for tests with real sockets. */

import { once } from 'node:events';
import { OperationalScope } from '../../lib/asap/scope.js';
import { createRegistrar } from '../../lib/registrar/registrar.js';

export const host = '127.0.0.1';

export interface Loopback {
  readonly scope: OperationalScope;
  /** 'host:port' */
  readonly registrars: string;
  close(): Promise<void>;
}

export async function loopback(): Promise<Loopback> {
  const registrar = createRegistrar({ host, port: 0 });
  registrar.listen();
  const [{ port }] = (await once(registrar, 'listening')) as [{ port: number }];
  const registrars = `${host}:${port}`;
  const scope = new OperationalScope({ registrars });
  return {
    scope,
    registrars,
    async close() {
      scope.close();
      await new Promise<void>((resolve) => void registrar.close(resolve));
    },
  };
}
