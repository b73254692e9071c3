/** Options of more than one command, from the words of the command line. */

import { readFileSync } from 'node:fs';
import { badPort, checkMilliseconds, checkPort, invalidArgumentValue } from '../arguments.js';
import { OperationalScope } from '../asap/scope.js';

/** The options of all commands that talk to a registrar. */
export const scopeOptions = {
  registrars: { type: 'string' },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
} as const;

type ScopeWords = { readonly [Name in keyof typeof scopeOptions]?: string };

/** What `--help` says of `--tls-ca` and its kin. */
export const tlsHelp: string = `
TLS, for registrars that ask for it; PEM files:

  --tls-ca FILE    the authority of the registrars' certificates
  --tls-cert FILE  a certificate of our own, with which elements may register
  --tls-key FILE   its private key
`;

/** The scope that the options name, or that of the environment. What cannot be read is the system's error. */
export function scopeOf(words: ScopeWords): OperationalScope {
  const { registrars, 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key } = words;
  if ((cert === undefined) !== (key === undefined))
    throw invalidArgumentValue('--tls-cert', cert, 'and --tls-key must both be given');
  const tls = {
    ...(ca === undefined ? undefined : { ca: readFileSync(ca) }),
    ...(cert === undefined || key === undefined ? undefined : { cert: readFileSync(cert), key: readFileSync(key) }),
  };
  return new OperationalScope({
    ...(registrars === undefined ? undefined : { registrars }),
    ...(Object.keys(tls).length === 0 ? undefined : { tls }),
  });
}

/** The one word of a command that is its pool. */
export function onePool(words: readonly string[]): string {
  const [pool, extra] = words;
  if (pool === undefined || extra !== undefined) throw invalidArgumentValue('POOL', words, 'must be one pool handle');
  return pool;
}

/** Undefined for an option that was not given. */
export function milliseconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === '') throw invalidArgumentValue(name, text, 'must be a number of milliseconds');
  return checkMilliseconds(name, Number(text));
}

/** 'PORT' or 'HOST:PORT', with brackets around an IPv6 address. */
export function hostAndPort(name: string, text: string): { readonly host?: string; readonly port: number } {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?([0-9]+)$/.exec(text);
  if (match === null) throw badPort(name, text);
  const host = match[1] ?? match[2];
  return { port: checkPort(name, match[3]), ...(host === undefined ? {} : { host }) };
}
