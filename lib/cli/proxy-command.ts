/** `rserpool proxy`: a port of this machine that leads to a pool. */

import { parseArgs } from 'node:util';
import { invalidArgumentValue } from '../arguments.js';
import { formatIdentifier } from '../errors.js';
import { Gateway } from '../gateway/gateway.js';
import { formatAddress } from '../transport/transport.js';
import type { Command } from './command.js';
import { hostAndPort, milliseconds, onePool, scopeOf, scopeOptions, tlsHelp } from './option-values.js';
import { StopSignal } from './stop-signal.js';

const usage =
  'proxy POOL --listen [HOST:]PORT [--mode nameservice|failover] [--max-connections N] [--connect-timeout MS] ' +
  '[--idle-timeout MS] [--registrars HOST:PORT,...] [--tls-ca FILE] [--quiet]';

function modeOf(text: string | undefined): 'nameservice' | 'failover' {
  if (text === undefined || text === 'nameservice') return 'nameservice';
  if (text === 'failover') return 'failover';
  throw invalidArgumentValue('--mode', text, "must be one of: 'nameservice', 'failover'");
}

export const proxyCommand: Command = {
  usage,
  summary: 'Lead TCP clients that know nothing of pools to a pool',
  help: `Usage: rserpool ${usage}

Accepts TCP connections and leads each to an element of the pool, until SIGINT or SIGTERM; open ones may then end by
themselves, a second signal cuts them off.

  --listen [HOST:]PORT  where to listen (host: 127.0.0.1 unless it is given; port 0: any free one)
  --mode NAME           nameservice (default): a plain connection to one element, which ends with it;
                        failover: a session that goes on at another one, with elements of createServer
  --max-connections N   at a time (default 1000); one more is closed at once
  --connect-timeout MS  to reach an element (default 30000)
  --idle-timeout MS     without a byte in either direction (default: none)
  --registrars LIST     host:port, separated by commas (default: RSERPOOL_REGISTRARS, else 127.0.0.1:3863)
  --quiet               print nothing but errors
${tlsHelp}`,
  async run(words) {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        listen: { type: 'string' },
        mode: { type: 'string' },
        'max-connections': { type: 'string' },
        'connect-timeout': { type: 'string' },
        'idle-timeout': { type: 'string' },
        ...scopeOptions,
        quiet: { type: 'boolean' },
      },
    });
    const poolHandle = onePool(positionals);
    if (values.listen === undefined) throw invalidArgumentValue('--listen', values.listen, 'must be given');
    const at = hostAndPort('--listen', values.listen);
    const connectTimeout = milliseconds('--connect-timeout', values['connect-timeout']);
    const idleTimeout = milliseconds('--idle-timeout', values['idle-timeout']);
    const most = values['max-connections'];
    const scope = scopeOf(values);
    const gateway = new Gateway({
      poolHandle,
      scope,
      mode: modeOf(values.mode),
      ...(most === undefined ? undefined : { maxConnections: Number(most) }),
      ...(connectTimeout === undefined ? undefined : { connectTimeout }),
      ...(idleTimeout === undefined ? undefined : { idleTimeout }),
    });
    const say = (text: string): void => {
      if (values.quiet !== true) process.stdout.write(`${text}\n`);
    };
    gateway.on('connected', (client, element) => {
      const from = formatAddress({ host: client.remoteAddress ?? '', port: client.remotePort ?? 0 });
      say(`${from} to ${formatIdentifier(element.element?.identifier ?? 0)}`);
    });
    gateway.on('ended', (_, error) => {
      if (error !== undefined) say(`a connection failed: ${error.message}`);
    });
    const stop = new StopSignal();
    try {
      const failed = new Promise<never>((_, reject) => gateway.once('error', reject));
      gateway.listen(at, ({ address, port }) => {
        say(`proxy for ${poolHandle} listens on ${formatAddress({ host: address, port })}`);
      });
      await Promise.race([stop.received, failed]);
      await new Promise<void>((resolve) => {
        gateway.close({}, resolve);
        const cutOff = (): void => gateway.close({ abort: true });
        process.once('SIGINT', cutOff);
        process.once('SIGTERM', cutOff);
      });
      return 0;
    } finally {
      stop.forget();
      scope.close();
    }
  },
};
