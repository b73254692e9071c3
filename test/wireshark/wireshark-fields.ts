/** What a message says, in the names of Wireshark's fields. */

import { isIPv4 } from 'node:net';
import type { AsapMessage, EnrpMessage } from '../../lib/wire/messages.js';
import { isDefinedType, parameterType } from '../../lib/wire/parameter-type.js';
import type { ErrorCause } from '../../lib/wire/parameters.js';
import { policyTypeOf } from '../../lib/wire/policy-parameter.js';
import { poolHandleBytes } from '../../lib/wire/pool-handle.js';
import { toHex } from '../vectors/hex.js';
import type { Protocol } from '../vectors/vector.js';
import type { Dissection } from './tshark.js';

/** Keys of our messages, and the fields that carry the same number in both protocols. */
const numbers: Readonly<Record<string, string>> = {
  identifier: 'pool_element_pe_identifier',
  homeServerId: 'pool_element_home_enrp_server_identifier',
  registrationLife: 'pool_element_registration_life',
  peIdentifier: 'pe_identifier',
  peChecksum: 'pe_checksum',
  weight: 'pool_member_selection_policy_weight',
  priority: 'pool_member_selection_policy_priority',
  load: 'pool_member_selection_policy_load',
  loadDegradation: 'pool_member_selection_policy_degradation',
};
const asapNumbers: Readonly<Record<string, string>> = {
  ...numbers,
  serverId: 'server_identifier',
  elementsWanted: 'hropt_items',
};
const enrpNumbers: Readonly<Record<string, string>> = {
  ...numbers,
  serverId: 'server_information_server_identifier',
  senderId: 'sender_servers_id',
  receiverId: 'receiver_servers_id',
  targetId: 'target_servers_id',
};
const ports = ['dccp', 'sctp', 'tcp', 'udp', 'udp_lite'].map((transport) => `${transport}_transport_port`);
const others = [
  'message_type',
  'message_flags',
  'message_length',
  'pool_member_selection_policy_type',
  'pool_handle_pool_handle',
  'cookie',
  'dccp_transport_service_code',
  'ipv4_address',
  'ipv6_address',
  'cause_code',
];
const fieldNames = {
  asap: [...Object.values(asapNumbers), ...ports, ...others],
  enrp: [...Object.values(enrpNumbers), ...ports, ...others, 'update_action'],
} as const;

/** The fields that `spoken` and `understood` fill for a protocol, and the types of the parameters. */
export function messageFields(protocol: Protocol): string[] {
  return [...fieldNames[protocol], 'parameter_type'].map((name) => `${protocol}.${name}`);
}

/** What the message says: sorted values by field; fields without a value are left out. */
export type Statement = Readonly<Record<string, readonly string[]>>;

function statement(values: ReadonlyMap<string, readonly string[]>): Statement {
  const sorted = [...values].filter(([, list]) => list.length > 0).map(([field, list]) => [field, [...list].sort()]);
  return Object.fromEntries(sorted.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** Wireshark shows loads in percent. */
const percent = (share: number): string => ((share / 0xffffffff) * 100).toFixed(6);
const isLoad = (field: string): boolean => /_policy_(load|degradation)$/.test(field);

/** What our message says, header included. Of error causes only the codes, and nothing of the Mapping parameter. */
export function spoken(protocol: Protocol, message: AsapMessage | EnrpMessage, bytes: Uint8Array): Statement {
  const values = new Map<string, string[]>();
  const say = (name: string, value: string): void => {
    const field = `${protocol}.${name}`;
    values.set(field, [...(values.get(field) ?? []), value]);
  };
  say('message_type', String(bytes[0]));
  say('message_flags', String(bytes[1]));
  say('message_length', String(((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)));
  speak(message, protocol === 'asap' ? asapNumbers : enrpNumbers, say);
  return statement(values);
}

function speak(
  value: object,
  names: Readonly<Record<string, string>>,
  say: (name: string, value: string) => void,
): void {
  const type = 'type' in value ? String(value.type) : '';
  for (const [key, inner] of Object.entries(value)) {
    const name = names[key];
    if (name !== undefined) say(name, isLoad(name) ? percent(inner) : String(inner));
    else if (key === 'poolHandle') say('pool_handle_pool_handle', toHex(poolHandleBytes(inner)));
    // Wireshark leaves a cookie of no bytes out.
    else if (key === 'cookie' && inner.length > 0) say('cookie', toHex(inner));
    else if (key === 'port') say(`${type === 'udpLite' ? 'udp_lite' : type}_transport_port`, String(inner));
    else if (key === 'serviceCode') say('dccp_transport_service_code', String(inner));
    else if (key === 'address') sayAddress(inner, say);
    else if (key === 'addresses') for (const address of inner) sayAddress(address, say);
    else if (key === 'action') say('update_action', inner === 'addPe' ? '0' : '1');
    else if (key === 'errors') for (const cause of inner as ErrorCause[]) say('cause_code', String(cause.code));
    else if (key === 'mappings' || key === 'extensions') continue;
    else if (typeof inner === 'object' && !(inner instanceof Uint8Array)) {
      if (key === 'policy') say('pool_member_selection_policy_type', String(policyTypeOf(inner)));
      speak(inner, names, say);
    }
  }
}

function sayAddress(address: string, say: (name: string, value: string) => void): void {
  say(isIPv4(address) ? 'ipv4_address' : 'ipv6_address', address);
}

/** What Wireshark understood: comparable with `spoken`. */
export function understood(protocol: Protocol, dissection: Dissection): Statement {
  const values = fieldNames[protocol].map((name): [string, string[]] => {
    const field = `${protocol}.${name}`;
    return [field, (dissection.get(field) ?? []).map((value) => plain(field, value))];
  });
  return statement(new Map(values));
}

/** Numbers in decimal, loads to six places, bytes and addresses as they are. */
function plain(field: string, value: string): string {
  if (isLoad(field)) return Number(value).toFixed(6);
  return /^0x[0-9a-f]+$/.test(value) ? String(Number(value)) : value;
}

/** The parameter types in a dissection that Wireshark has no name for. */
export function unknownParameters(protocol: Protocol, dissection: Dissection): number[] {
  const types = (dissection.get(`${protocol}.parameter_type`) ?? []).map(Number);
  return types.filter((type) => !isDefinedType(type) && type !== parameterType.elementsWanted);
}

/** The parameter types in a message that RFC 5354 does not define, in the order of the message; causes aside. */
export function privateParameters(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'mappings') return [parameterType.mapping];
    if (key === 'hint') return [parameterType.selectionHint];
    if (key === 'extensions') return (inner as Uint8Array[]).map((tlv) => ((tlv[0] ?? 0) << 8) | (tlv[1] ?? 0));
    return privateParameters(inner);
  });
}
