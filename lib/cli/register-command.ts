/** `rserpool register`: puts a service of any make into a pool, and takes it out while it is sick. */

import { parseArgs } from 'node:util';
import { checkPort, invalidArgumentValue } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import { systemClock } from '../clock.js';
import { formatIdentifier, RserpoolError } from '../errors.js';
import type { PolicyOption } from '../net/options.js';
import { type RegisterOptions, type Registration, register } from '../net/registration.js';
import type { Command } from './command.js';
import { healthCheckOf } from './health-checks.js';
import { milliseconds, onePool, scopeOf, scopeOptions, tlsHelp } from './option-values.js';
import { StopSignal } from './stop-signal.js';

const usage =
  'register POOL --port PORT [--host ADDRESS] [--protocol tcp|udp] [--check CHECK] [--check-interval MS] ' +
  '[--check-timeout MS] [--policy NAME] [--load 0..1] [--life MS] [--registrars HOST:PORT,...] [--tls-ca FILE --tls-cert FILE --tls-key FILE] [--quiet]';

const options = {
  port: { type: 'string' },
  host: { type: 'string' },
  protocol: { type: 'string' },
  check: { type: 'string' },
  'check-interval': { type: 'string' },
  'check-timeout': { type: 'string' },
  policy: { type: 'string' },
  load: { type: 'string' },
  life: { type: 'string' },
  ...scopeOptions,
  quiet: { type: 'boolean' },
} as const;

type Values = { readonly [Name in Exclude<keyof typeof options, 'quiet'>]?: string } & { readonly quiet?: boolean };

function registerOptions(poolHandle: string, values: Values, scope: OperationalScope): RegisterOptions {
  const { host, protocol = 'tcp', policy, load } = values;
  if (values.port === undefined) throw invalidArgumentValue('--port', values.port, 'must be given');
  const port = checkPort('--port', values.port, false);
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw invalidArgumentValue('--protocol', protocol, "must be one of: 'tcp', 'udp'");
  const check = values.check ?? (protocol === 'tcp' ? 'tcp' : 'none');
  const healthCheck = healthCheckOf(check, { host: host ?? '127.0.0.1', port });
  const times = {
    healthCheckInterval: milliseconds('--check-interval', values['check-interval']),
    healthCheckTimeout: milliseconds('--check-timeout', values['check-timeout']),
    registrationLife: milliseconds('--life', values.life),
  };
  const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
  return {
    poolHandle,
    port,
    protocol,
    scope,
    ...given,
    ...(host === undefined ? undefined : { host }),
    ...(healthCheck === undefined ? undefined : { healthCheck }),
    ...(policy === undefined ? undefined : { policy: policy as PolicyOption }),
    ...(load === undefined ? undefined : { load: Number(load) }),
  };
}

/** Tries until a registrar answers: this may be started before one. */
async function registerAtLast(wanted: RegisterOptions, signal: AbortSignal): Promise<Registration> {
  for (;;) {
    try {
      return await register({ ...wanted, signal });
    } catch (error) {
      const code = error instanceof RserpoolError ? error.code : undefined;
      if (code !== 'ERR_RSERPOOL_NO_ENRP_SERVER' && code !== 'ERR_RSERPOOL_REQUEST_TIMEOUT') throw error;
      process.stderr.write(`rserpool: ${(error as Error).message}\n`);
      await new Promise<void>((resolve) => {
        systemClock.setTimeout(resolve, 1_000);
      });
    }
  }
}

export const registerCommand: Command = {
  usage,
  summary: 'Put a service of any make into a pool, as long as it is well',
  help: `Usage: rserpool ${usage}

Registers a service that runs by itself, until SIGINT or SIGTERM; then it is deregistered. While its health check fails it
is out of the pool. Prints one line for each change.

  --port PORT          where the service listens
  --host ADDRESS       its IP address (default: the one that the registrar sees; checks go to 127.0.0.1)
  --protocol NAME      tcp (default) or udp
  --check CHECK        tcp: it accepts connections (default for tcp); tcp:[HOST:]PORT: that one does;
                       http://... or https://...: that answers below 400; command:COMMAND: the shell's exit code is 0;
                       none: it counts as well (default for udp)
  --check-interval MS  from the end of one check to the next (default 5000)
  --check-timeout MS   a check that takes longer has failed (default 1000)
  --policy NAME        roundRobin (default), random, leastUsed, randomizedLeastUsed
  --load 0..1          for policies that use it
  --life MS            registration life (default 300000), renewed by itself
  --registrars LIST    host:port, separated by commas (default: RSERPOOL_REGISTRARS, else 127.0.0.1:3863)
  --quiet              print nothing but errors
${tlsHelp}`,
  async run(words) {
    const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options });
    const poolHandle = onePool(positionals);
    const scope = scopeOf(values);
    const abort = new AbortController();
    const stop = new StopSignal();
    const say = (text: string): void => {
      if (values.quiet !== true) process.stdout.write(`${text}\n`);
    };
    try {
      const wanted = registerOptions(poolHandle, values, scope);
      say(`waiting for the service at port ${wanted.port} and a registrar`);
      const first = await Promise.race([registerAtLast(wanted, abort.signal), stop.received]);
      if (first === undefined) return 0;
      const name = `${poolHandle} ${formatIdentifier(first.identifier)}`;
      say(`registered ${name}`);
      first.on('registered', () => say(`registered ${name}`));
      first.on('unhealthy', (error) => say(`unhealthy ${name}: ${error.message}`));
      first.on('unregistered', (error) => say(`unregistered ${name}: ${error.message}`));
      await stop.received;
      await first.deregister();
      say(`deregistered ${name}`);
      return 0;
    } finally {
      stop.forget();
      abort.abort();
      scope.close();
    }
  },
};
