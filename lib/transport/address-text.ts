/** What an address in text says of its protocol: 'sctp:host:port' or 'sctp:host:port/udp:port' (RFC 6951), else a byte stream. */

import { checkPort } from '../arguments.js';
import type { TransportAddress } from './transport.js';

/** The rest of the text, 'host:port', and the properties of the address that come from what was cut off. */
export interface AddressProtocol {
  readonly rest: string;
  readonly protocol: Pick<TransportAddress, 'protocol' | 'encapsulationPort'>;
}

/** Throws Node's argument errors, with `name` in them. */
export function cutProtocol(name: string, text: string): AddressProtocol {
  const match = /^sctp:(.*?)(?:\/udp:(\d+))?$/.exec(text.trim());
  if (match === null) return { rest: text, protocol: {} };
  const udp = match[2] === undefined ? {} : { encapsulationPort: checkPort(name, match[2], false) };
  return { rest: match[1] ?? '', protocol: { protocol: 'sctp', ...udp } };
}

/** The same properties of an address that is given as an object. */
export function checkProtocol(
  name: string,
  given: Pick<TransportAddress, 'protocol' | 'encapsulationPort'>,
): AddressProtocol['protocol'] {
  if (given.protocol !== 'sctp') return {};
  const { encapsulationPort } = given;
  if (encapsulationPort === undefined) return { protocol: 'sctp' };
  return { protocol: 'sctp', encapsulationPort: checkPort(`${name}.encapsulationPort`, encapsulationPort, false) };
}
