/** Parameter types (RFC 5354 section 3, Table 1) and the three that this implementation knows beside them. */

export const parameterType = {
  ipv4Address: 0x01,
  ipv6Address: 0x02,
  dccpTransport: 0x03,
  sctpTransport: 0x04,
  tcpTransport: 0x05,
  udpTransport: 0x06,
  udpLiteTransport: 0x07,
  policy: 0x08,
  poolHandle: 0x09,
  poolElement: 0x0a,
  serverInformation: 0x0b,
  operationError: 0x0c,
  cookie: 0x0d,
  peIdentifier: 0x0e,
  peChecksum: 0x0f,
  opaqueTransport: 0x10,
  /** The reference implementation's option of Handle Resolution: how many pool elements are wanted. */
  elementsWanted: 0x803f,
  /** Selection Hint (docs/asap.md), in Handle Resolution. */
  selectionHint: 0x8254,
  /** Mapping (docs/mappings.md), inside Pool Element. */
  mapping: 0x8253,
} as const;

const names: readonly string[] = [
  'reserved',
  'IPv4 Address',
  'IPv6 Address',
  'DCCP Transport',
  'SCTP Transport',
  'TCP Transport',
  'UDP Transport',
  'UDP-Lite Transport',
  'Pool Member Selection Policy',
  'Pool Handle',
  'Pool Element',
  'Server Information',
  'Operation Error',
  'Cookie',
  'PE Identifier',
  'PE Checksum',
  'Opaque Transport',
];

/** The name that RFC 5354 gives to a parameter type, or its number. For messages to people. */
export function parameterName(type: number): string {
  if (type === parameterType.elementsWanted) return 'Elements Wanted';
  if (type === parameterType.mapping) return 'Mapping';
  if (type === parameterType.selectionHint) return 'Selection Hint';
  return names[type] ?? `0x${type.toString(16).padStart(4, '0')}`;
}

/** Whether RFC 5354 defines the type: wherever it is out of place, it is an error and not an unrecognised parameter. */
export function isDefinedType(type: number): boolean {
  return type >= parameterType.ipv4Address && type <= parameterType.opaqueTransport;
}

/** Whether the type is one of the six transports of RFC 5354. */
export function isTransportType(type: number): boolean {
  return (
    (type >= parameterType.dccpTransport && type <= parameterType.udpLiteTransport) ||
    type === parameterType.opaqueTransport
  );
}
