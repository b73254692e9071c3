/** Options of more than one command, from the words of the command line. */

import { badPort, checkMilliseconds, checkPort, invalidArgumentValue } from '../arguments.js';
import { OperationalScope } from '../asap/scope.js';

/** The scope of `--registrars`, or that of the environment. */
export function scopeOf(registrars: string | undefined): OperationalScope {
  return new OperationalScope(registrars === undefined ? {} : { registrars });
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
