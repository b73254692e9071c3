/** `rserpool registrar`: runs a registrar until it is told to stop. */

import { parseArgs } from 'node:util';
import { badPort, checkPort, invalidArgumentValue } from '../arguments.js';
import { formatIdentifier } from '../errors.js';
import type { RegistrarOptions } from '../registrar/options.js';
import { createRegistrar, type Registrar } from '../registrar/registrar.js';
import { formatAddress } from '../transport/transport.js';
import type { Command } from './command.js';

const usage = 'registrar [--host ADDRESS] [--port PORT] [--id IDENTIFIER] [--accept-foreign-addresses] [--quiet]';

function serverId(text: string): number {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1 || id > 0xffffffff) {
    throw invalidArgumentValue('--id', text, 'must be a whole number from 1 to 0xffffffff');
  }
  return id;
}

function optionsFrom(values: { host?: string; port?: string; id?: string; foreign?: boolean }): RegistrarOptions {
  if (values.port === '') throw badPort('--port', values.port);
  return {
    ...(values.host === undefined ? undefined : { host: values.host }),
    ...(values.port === undefined ? undefined : { port: checkPort('--port', values.port) }),
    ...(values.id === undefined ? undefined : { serverId: serverId(values.id) }),
    ...(values.foreign === undefined ? undefined : { acceptForeignAddresses: values.foreign }),
  };
}

function report(registrar: Registrar): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  registrar.on('change', ({ type, reason, poolHandle, identifier }) => {
    // Renewals are the normal course of things.
    if (type !== 'updated') say(`${type} ${poolHandle} ${formatIdentifier(identifier)} (${reason})`);
  });
  registrar.on('rejected', ({ poolHandle, identifier, host, causes }) => {
    say(`rejected ${poolHandle} ${formatIdentifier(identifier)} from ${host}: ${causes.join(', ')}`);
  });
}

export const registrarCommand: Command = {
  usage,
  summary: 'Run a registrar (an ENRP server) until SIGINT or SIGTERM',
  help: `Usage: rserpool ${usage}

Runs a registrar. It listens on 127.0.0.1:3863 unless told otherwise, and prints one line for each element that
comes or goes. SIGINT and SIGTERM end it in order; elements and users then look for another registrar.

  --host ADDRESS              where to listen (default 127.0.0.1)
  --port PORT                 default 3863; 0 takes any free port
  --id IDENTIFIER             ENRP server identifier (default: chosen by chance)
  --accept-foreign-addresses  let elements register addresses that they do not connect from
  --quiet                     print nothing but errors
`,
  async run(words) {
    const { values } = parseArgs({
      args: [...words],
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        id: { type: 'string' },
        'accept-foreign-addresses': { type: 'boolean' },
        quiet: { type: 'boolean' },
      },
    });
    const foreign = values['accept-foreign-addresses'];
    const registrar = createRegistrar(optionsFrom({ ...values, ...(foreign === undefined ? undefined : { foreign }) }));
    return await new Promise<number>((resolve, reject) => {
      const stop = (): void => void registrar.close(() => resolve(0));
      registrar.once('error', reject);
      registrar.listen((address) => {
        if (values.quiet === true) return;
        process.stdout.write(
          `registrar ${formatIdentifier(registrar.serverId)} listens on ${formatAddress(address)}\n`,
        );
        report(registrar);
      });
      // A second signal finds no listener and kills, as usual.
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
    });
  },
};
