/**
 * What a registrar does, done by etcd: a resolution is a Range over the three keys of a pool (serializable, which is
 * its fastest), a registration a LeaseGrant and then a Put under that lease.
 */

import { callHeaders, GrpcConnection } from './grpc-connection.js';
import { connections, elementAddress, elementsOfPool, type Load, outstanding, poolName, pools } from './load.js';

const headers = {
  range: callHeaders('/etcdserverpb.KV/Range'),
  put: callHeaders('/etcdserverpb.KV/Put'),
  grant: callHeaders('/etcdserverpb.Lease/LeaseGrant'),
};

/** A protocol buffers field of bytes shorter than 128. */
function bytesField(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text, 'latin1')]);
}

function keyOf(pool: number, element: number): string {
  return `/pools/${poolName(pool)}/${String(element).padStart(10, '0')}`;
}

/** As many bytes as an element takes in ASAP. */
function elementText(pool: number, element: number): string {
  return `${elementAddress(pool, element)}:4000`.padEnd(40, ' ');
}

/** The lease identifier of a LeaseGrantResponse (field 2) as its varint, to be put into a Put (field 3) as it is. */
function leaseOf(message: Uint8Array): Uint8Array {
  // Field 1 is the header.
  const at = 2 + (message[1] as number);
  if (message[0] !== 0x0a || message[at] !== 0x10) throw new Error('not a LeaseGrantResponse');
  let end = at + 1;
  while (((message[end] as number) & 0x80) !== 0) end++;
  return message.slice(at + 1, end + 1);
}

/** LeaseGrantRequest: TTL of 60 s. */
const grantRequest = Buffer.from([0x08, 60]);

function putRequest(pool: number, element: number, lease: Uint8Array): Buffer {
  const fields = [bytesField(1, keyOf(pool, element)), bytesField(2, elementText(pool, element))];
  return Buffer.concat([...fields, Buffer.from([0x18]), lease]);
}

function register(connection: GrpcConnection, pool: number, element: number, done: () => void): void {
  connection.call(headers.grant, grantRequest, (granted) =>
    connection.call(headers.put, putRequest(pool, element, leaseOf(granted)), done),
  );
}

async function load(port: number, request: (connection: GrpcConnection, done: () => void) => void): Promise<Load> {
  const open = await Promise.all(Array.from({ length: connections }, () => GrpcConnection.open(port)));
  let answers = 0;
  let waiting = 0;
  let onIdle: (() => void) | undefined;
  const send = (connection: GrpcConnection): void => {
    waiting++;
    request(connection, () => {
      waiting--;
      answers++;
      if (onIdle === undefined) send(connection);
      else if (waiting === 0) onIdle();
    });
  };
  for (const connection of open) for (let i = 0; i < outstanding / connections; i++) send(connection);
  return {
    get answers() {
      return answers;
    },
    async stop() {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      for (const connection of open) connection.close();
    },
  };
}

/** Ranges of one pool after the other; each has to give three values. */
export function etcdResolutions(port: number): Promise<Load> {
  const encoded = Array.from({ length: pools }, (_, pool) => {
    const prefix = `/pools/${poolName(pool)}/`;
    // The range ends before the prefix with its last character increased.
    const fields = [bytesField(1, prefix), bytesField(2, `${prefix.slice(0, -1)}0`)];
    return Buffer.concat([...fields, Buffer.from([0x18, elementsOfPool, 0x38, 1])]);
  });
  let next = 0;
  return load(port, (connection, done) => {
    connection.call(headers.range, encoded[next] as Buffer, (answer) => {
      if (answer.length < elementsOfPool * 60) throw new Error(`a Range of ${answer.length} bytes`);
      done();
    });
    next = (next + 1) % pools;
  });
}

/** Registrations of ever new keys. */
export function etcdRegistrations(port: number, from: number): Promise<Load> {
  let next = from;
  return load(port, (connection, done) => {
    const element = next++;
    register(connection, element % pools, element, done);
  });
}

/** Puts what is resolved. */
export async function etcdPools(port: number): Promise<void> {
  const connection = await GrpcConnection.open(port);
  for (let pool = 0; pool < pools; pool++) {
    for (let element = 0; element < elementsOfPool; element++) {
      await new Promise<void>((resolve) => register(connection, pool, element, resolve));
    }
  }
  connection.close();
}
