/** SCTP straight in IP: only when asked for, a clear error where it cannot be, and the same stack above it where it can. */

import test, { type ExecutionContext } from 'ava';
import { OperationalScope } from '../../../lib/asap/scope.js';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import { type RawIpSurroundings, type RawSockets, rawIpTransport } from '../../../lib/transport/sctp/raw-ip.js';
import type { SctpAssociation, SctpAssociationHandler, SctpMessage } from '../../../lib/transport/sctp/sctp-stack.js';

const AddressFamily = { IPv4: 1, IPv6: 2 };

function rawStack(host: string, surroundings: RawIpSurroundings): PackageSctpStack {
  const raw = { kernelSpeaksSctp: () => false, ...surroundings };
  return new PackageSctpStack({ host, transport: 'raw' }, { datagrams: rawIpTransport(raw) });
}

/** What connect and listen say. */
async function refusals(t: ExecutionContext, stack: PackageSctpStack): Promise<unknown[]> {
  const never = (): never => t.fail('it works') as never;
  return await Promise.all([
    new Promise<Error>((onError) => {
      stack.connect({ host: '10.0.0.2', port: 7 }, { onOpen: never, onError });
    }),
    new Promise<Error>((onError) => {
      stack.listen(7, { onListening: never, onAssociation: never, onError });
    }),
  ]);
}

const missing = Object.assign(new Error("Cannot find package 'raw-socket'"), { code: 'ERR_MODULE_NOT_FOUND' });
const notPermitted = new Error('Operation not permitted');
const sockets = (createSocket: RawSockets['createSocket']) => async () => ({
  default: { createSocket, AddressFamily },
});
const refusing = sockets(() => {
  throw notPermitted;
});

for (const [what, surroundings, detail, cause] of [
  ['the package', { load: () => Promise.reject(missing) }, /npm install raw-socket/, missing],
  ['the right', { load: refusing }, /root or CAP_NET_RAW/, notPermitted],
  ['a kernel that leaves SCTP alone', { load: refusing, kernelSpeaksSctp: () => true }, /the kernel speaks/, undefined],
] as const) {
  test(`without ${what} connect and listen say that raw IP is not available`, async (t) => {
    for (const error of await refusals(t, rawStack('10.0.0.1', surroundings))) {
      t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_RAW_IP_NOT_AVAILABLE');
      t.regex((error as Error).message, detail);
      t.is((error as Error).cause, cause);
    }
  });
}

/** An IP network for fake raw sockets: packets arrive with an IPv4 header, with options, at every machine. */
function ipNetwork(): { readonly of: (host: string) => RawIpSurroundings; readonly inject: (bytes: Buffer) => void } {
  const receivers: ((bytes: Buffer, source: string) => void)[] = [];
  const deliver = (bytes: Buffer, source: string): void =>
    queueMicrotask(() => {
      for (const receive of receivers) receive(bytes, source);
    });
  const of = (host: string): RawIpSurroundings => ({
    load: sockets(({ protocol, addressFamily }) => {
      if (protocol !== 132 || addressFamily !== AddressFamily.IPv4) throw new Error('another protocol');
      return {
        on: (event: string, listener: never) => void (event === 'message' && receivers.push(listener)),
        send(bytes, offset, length, address, sent) {
          const header = Buffer.alloc(24);
          header[0] = 0x46;
          header.set(address.split('.').map(Number), 16);
          deliver(Buffer.concat([header, bytes.subarray(offset, offset + length)]), host);
          sent();
        },
        close() {},
      };
    }),
  });
  return { of, inject: (bytes) => deliver(bytes, '10.0.0.9') };
}

class Owner implements SctpAssociationHandler {
  readonly closed: Promise<Error | undefined>;
  readonly first: Promise<SctpMessage>;
  onMessage: (message: SctpMessage) => void = () => {};
  onClose: (error: Error | undefined) => void = () => {};

  constructor() {
    this.first = new Promise((resolve) => {
      this.onMessage = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.onClose = resolve;
    });
  }

  onAcknowledged(): void {}
  onHeard(): void {}
  onNotification(): void {}
}

test('an association over raw IP carries messages and ends in order; other packets are not heard', async (t) => {
  const network = ipNetwork();
  const element = rawStack('10.0.0.2', network.of('10.0.0.2'));
  const user = rawStack('10.0.0.1', network.of('10.0.0.1'));
  const atElement = new Owner();
  const atUser = new Owner();
  let accepted: SctpAssociation | undefined;
  const onAssociation = (association: SctpAssociation): Owner => {
    accepted = association;
    return atElement;
  };
  await new Promise<void>((resolve, onError) => {
    element.listen(7, { onListening: () => resolve(), onAssociation, onError });
  });
  for (const length of [0, 1, 19, 20, 23, 60]) network.inject(Buffer.alloc(length, 0x4f));
  const opened = await new Promise<SctpAssociation>((resolve, onError) => {
    const onOpen = (association: SctpAssociation): Owner => {
      resolve(association);
      return atUser;
    };
    user.connect({ host: '10.0.0.2', port: 7 }, { onOpen, onError });
  });
  opened.send(Buffer.from('hello'), { streamId: 3, ppid: 33 });
  const { data, streamId, ppid } = await atElement.first;
  t.deepEqual([Buffer.from(data).toString(), streamId, ppid], ['hello', 3, 33]);
  t.deepEqual(opened.remoteAddress, { host: '10.0.0.2', port: 7, protocol: 'sctp' });
  t.is(accepted?.remoteAddress.host, '10.0.0.1');
  t.is(accepted?.remoteAddress.encapsulationPort, undefined);
  t.is(user.encapsulationPort, undefined);
  opened.shutdown();
  t.deepEqual(await Promise.all([atUser.closed, atElement.closed]), [undefined, undefined]);
  user.close();
  element.close();
});

test('an address in UDP is refused by a stack that speaks raw IP', async (t) => {
  const stack = rawStack('10.0.0.1', ipNetwork().of('10.0.0.1'));
  const error = await new Promise<Error>((onError) => {
    const target = { host: '10.0.0.2', port: 7, encapsulationPort: 9899 };
    stack.connect(target, { onOpen: () => t.fail('it works') as never, onError });
  });
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE');
  stack.close();
});

test('a transport that there is not is an argument error', (t) => {
  const scope = new OperationalScope({ sctp: { transport: 'ip' as 'raw' } });
  t.throws(() => scope.sctp.get(), { code: 'ERR_INVALID_ARG_VALUE' });
  scope.close();
});
