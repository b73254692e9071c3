/** `rserpool registrar`: runs a registrar until it is told to stop. */

import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { badPort, checkMilliseconds, checkPort, invalidArgumentValue } from '../arguments.js';
import type { EnrpOptions } from '../enrp/options.js';
import { formatIdentifier } from '../errors.js';
import type { RegistrarOptions } from '../registrar/options.js';
import { createRegistrar, type Registrar } from '../registrar/registrar.js';
import { formatAddress } from '../transport/transport.js';
import type { Command } from './command.js';
import { serveStatus } from './status-server.js';

const usage =
  'registrar [--host ADDRESS] [--port PORT] [--id IDENTIFIER] [--peer HOST:PORT]... [--enrp-port PORT] ' +
  '[--heartbeat-cycle MS] [--keep-alive-interval MS] [--keep-alive-timeout MS] [--announce] [--announce-group ADDRESS] [--advertise ADDRESS] [--accept-foreign-addresses] ' +
  '[--tls-cert FILE --tls-key FILE [--tls-ca FILE]] [--status-port PORT] [--quiet]';

function serverId(text: string): number {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1 || id > 0xffffffff) {
    throw invalidArgumentValue('--id', text, 'must be a whole number from 1 to 0xffffffff');
  }
  return id;
}

interface Values {
  readonly host?: string;
  readonly port?: string;
  readonly id?: string;
  readonly peer?: string[];
  readonly 'enrp-port'?: string;
  readonly 'heartbeat-cycle'?: string;
  readonly 'keep-alive-interval'?: string;
  readonly 'keep-alive-timeout'?: string;
  readonly announce?: boolean;
  readonly 'announce-group'?: string;
  readonly advertise?: string;
  readonly 'accept-foreign-addresses'?: boolean;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
  readonly 'tls-ca'?: string;
}

/** Peers are there when one of them, or a port for them, is named, and when they may be found by announcements. */
function enrpOptions(values: Values): EnrpOptions | undefined {
  const { host, peer: peers, 'enrp-port': port, 'heartbeat-cycle': cycle, advertise } = values;
  if (peers === undefined && port === undefined && announcements(values) === undefined) return undefined;
  if (port === '') throw badPort('--enrp-port', port);
  const heartbeatCycle = cycle === undefined ? undefined : checkMilliseconds('--heartbeat-cycle', Number(cycle));
  return {
    peers: peers ?? [],
    ...(host === undefined ? undefined : { host }),
    ...(advertise === undefined ? undefined : { advertise: { host: advertise } }),
    ...(port === undefined ? undefined : { port: checkPort('--enrp-port', port) }),
    ...(heartbeatCycle === undefined ? undefined : { timers: { heartbeatCycle } }),
  };
}

function announcements(values: Values): NonNullable<RegistrarOptions['announce']> | undefined {
  const { announce, 'announce-group': group } = values;
  if (group !== undefined) return { group };
  return announce === true ? true : undefined;
}

/** Certificates in PEM files; what cannot be read is the system's error. */
function tls(values: Values): RegistrarOptions['tls'] {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = values;
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw invalidArgumentValue('--tls-cert', cert, 'and --tls-key must both be given');
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? undefined : { ca: readFileSync(ca) }),
  };
}

function timers(values: Values): NonNullable<RegistrarOptions['timers']> {
  const { 'keep-alive-interval': interval, 'keep-alive-timeout': timeout } = values;
  return {
    ...(interval === undefined
      ? undefined
      : { keepAliveInterval: checkMilliseconds('--keep-alive-interval', Number(interval)) }),
    ...(timeout === undefined
      ? undefined
      : { keepAliveTimeout: checkMilliseconds('--keep-alive-timeout', Number(timeout)) }),
  };
}

function optionsFrom(values: Values): RegistrarOptions {
  if (values.port === '') throw badPort('--port', values.port);
  const foreign = values['accept-foreign-addresses'];
  const enrp = enrpOptions(values);
  const announce = announcements(values);
  const certificates = tls(values);
  return {
    ...(certificates === undefined ? undefined : { tls: certificates }),
    timers: timers(values),
    ...(announce === undefined ? undefined : { announce }),
    ...(values.advertise === undefined ? undefined : { advertise: { host: values.advertise } }),
    ...(enrp === undefined ? undefined : { enrp }),
    ...(values.host === undefined ? undefined : { host: values.host }),
    ...(values.port === undefined ? undefined : { port: checkPort('--port', values.port) }),
    ...(values.id === undefined ? undefined : { serverId: serverId(values.id) }),
    ...(foreign === undefined ? undefined : { acceptForeignAddresses: foreign }),
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
  --peer HOST:PORT            another registrar (port 9901 unless given); may be repeated, and may name this one
  --enrp-port PORT            where to listen for peers (default 9901; no peers without this or --peer)
  --heartbeat-cycle MS        between two signs of life to peers (default 30000); the other times follow it
  --keep-alive-interval MS    between two questions to an element whether it is there, +-50 % (default 5000)
  --keep-alive-timeout MS     how long it may take to acknowledge one (default 1000)
  --announce                  tell elements, users and other registrars by multicast that this one is here
  --announce-group ADDRESS    the multicast group for that (default 224.0.1.185); implies --announce
  --advertise ADDRESS         where others reach this registrar, if that is not where it listens
  --tls-cert FILE             serve over TLS alone, with this certificate (PEM)
  --tls-key FILE              its private key
  --tls-ca FILE               let only those register, or be peers, whose certificates this authority signed
  --accept-foreign-addresses  let elements register addresses that they do not connect from
  --status-port PORT          status as JSON over HTTP on 127.0.0.1: /status, /pools, /metrics (0 takes any free port)
  --quiet                     print nothing but errors
`,
  async run(words) {
    const { values } = parseArgs({
      args: [...words],
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        id: { type: 'string' },
        peer: { type: 'string', multiple: true },
        'enrp-port': { type: 'string' },
        'heartbeat-cycle': { type: 'string' },
        'keep-alive-interval': { type: 'string' },
        'keep-alive-timeout': { type: 'string' },
        announce: { type: 'boolean' },
        'announce-group': { type: 'string' },
        advertise: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'tls-ca': { type: 'string' },
        'accept-foreign-addresses': { type: 'boolean' },
        'status-port': { type: 'string' },
        quiet: { type: 'boolean' },
      },
    });
    const statusPort = values['status-port'];
    if (statusPort === '') throw badPort('--status-port', statusPort);
    const statusAt = statusPort === undefined ? undefined : checkPort('--status-port', statusPort);
    const registrar = createRegistrar(optionsFrom(values));
    const name = `registrar ${formatIdentifier(registrar.serverId)}`;
    return await new Promise<number>((resolve, reject) => {
      const status = statusAt === undefined ? undefined : serveStatus(registrar, statusAt);
      const stop = (): void => {
        status?.close();
        status?.closeAllConnections();
        registrar.close(() => resolve(0));
      };
      registrar.once('error', reject);
      status?.once('error', reject);
      status?.once('listening', () => {
        const { address, port } = status.address() as AddressInfo;
        if (values.quiet !== true)
          process.stdout.write(`${name} shows its status on http://${address}:${port}/status\n`);
      });
      registrar.once('enrpListening', (address) => {
        if (values.quiet !== true) process.stdout.write(`${name} awaits peers on ${formatAddress(address)}\n`);
      });
      registrar.listen((address) => {
        if (values.quiet === true) return;
        process.stdout.write(`${name} listens on ${formatAddress(address)}\n`);
        report(registrar);
      });
      // A second signal finds no listener and kills, as usual.
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
    });
  },
};
