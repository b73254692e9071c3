/** The stack on the system's UDP sockets: IPv4, IPv6, both at once, and what becomes of the port. */

import { createSocket } from 'node:dgram';
import test from 'ava';
import { systemClock } from '../../../lib/clock.js';
import { systemRandom } from '../../../lib/random.js';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import type {
  SctpAddress,
  SctpAssociation,
  SctpAssociationHandler,
  SctpMessage,
  SctpStack,
} from '../../../lib/transport/sctp/sctp-stack.js';
import { switchedStack } from '../../../lib/transport/sctp/switched-stack.js';

class Owner implements SctpAssociationHandler {
  readonly association: SctpAssociation;
  readonly first: Promise<SctpMessage>;
  readonly closed: Promise<Error | undefined>;
  onMessage: (message: SctpMessage) => void = () => {};
  onClose: (error: Error | undefined) => void = () => {};

  constructor(association: SctpAssociation) {
    this.association = association;
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

/** Listens; resolves with the address, and the owner of the association that comes first. */
async function listen(stack: SctpStack): Promise<{ readonly at: SctpAddress; readonly accepted: Promise<Owner> }> {
  let take: (owner: Owner) => void = () => {};
  const accepted = new Promise<Owner>((resolve) => {
    take = resolve;
  });
  const at = await new Promise<SctpAddress>((onListening, onError) => {
    const onAssociation = (association: SctpAssociation): Owner => {
      const owner = new Owner(association);
      take(owner);
      return owner;
    };
    stack.listen(0, { onListening, onAssociation, onError });
  });
  return { at, accepted };
}

function connect(stack: SctpStack, target: SctpAddress): Promise<Owner> {
  return new Promise((resolve, onError) => {
    const onOpen = (association: SctpAssociation): Owner => {
      const owner = new Owner(association);
      resolve(owner);
      return owner;
    };
    stack.connect(target, { onOpen, onError });
  });
}

for (const [listening, connecting, target] of [
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['::1', '::1', '::1'],
  ['::', '::', '::1'],
  ['::', '127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '::', '127.0.0.1'],
] as const) {
  test(`a stack on ${connecting} reaches one on ${listening} at ${target}`, async (t) => {
    const element = new PackageSctpStack({ host: listening, udpPort: 0 });
    const user = new PackageSctpStack({ host: connecting, udpPort: 0 });
    const { at, accepted } = await listen(element);
    const atUser = await connect(user, { ...at, host: target });
    const atElement = await accepted;
    // A message of many packets there, one back.
    atUser.association.send(Buffer.alloc(20_000, 7), { streamId: 1, ppid: 5 });
    t.deepEqual(Buffer.from((await atElement.first).data), Buffer.alloc(20_000, 7));
    atElement.association.send(Buffer.from('back'), { streamId: 0, ppid: 0 });
    t.is(Buffer.from((await atUser.first).data).toString(), 'back');
    // Known by the address that it has itself, also where one socket serves both kinds.
    t.is(atElement.association.remoteAddress.host, target);
    t.is(atUser.association.remoteAddress.host, target);
    atUser.association.shutdown();
    t.deepEqual(await Promise.all([atUser.closed, atElement.closed]), [undefined, undefined]);
    user.close();
    element.close();
  });
}

test('who closes its stack tells its peers before the socket is gone', async (t) => {
  const element = new PackageSctpStack({ host: '127.0.0.1', udpPort: 0 });
  const user = new PackageSctpStack({ host: '127.0.0.1', udpPort: 0 });
  const { at, accepted } = await listen(element);
  await connect(user, at);
  const { closed } = await accepted;
  user.close();
  t.is(((await closed) as NodeJS.ErrnoException | undefined)?.code, 'ERR_RSERPOOL_ABORTED');
  element.close();
});

test('the UDP port is free as soon as the last association has ended in order', async (t) => {
  const element = new PackageSctpStack({ host: '127.0.0.1', udpPort: 0 });
  const { at, accepted } = await listen(element);
  const own = switchedStack({ host: '127.0.0.1', udpPort: 0 }, undefined, systemClock, systemRandom);
  const stack = own.get() as PackageSctpStack;
  const atUser = await connect(stack, at);
  const atElement = await accepted;
  const port = stack.encapsulationPort;
  atUser.association.send(Buffer.from('last words'), { streamId: 0, ppid: 0 });
  atUser.association.shutdown();
  const order: string[] = [];
  const closed = new Promise<void>((resolve) => {
    own.close(() => {
      order.push('port');
      resolve();
    });
  });
  void atUser.closed.then(() => order.push('association'));
  await closed;
  // Bound in the same turn in which its owner says that it is free.
  const next = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    next.once('error', reject).bind(port, '127.0.0.1', resolve);
  });
  next.close();
  t.deepEqual(order, ['association', 'port']);
  t.is(await atElement.closed, undefined);
  t.is(Buffer.from((await atElement.first).data).toString(), 'last words');
  element.close();
});

test('the port of a stack that nobody uses is free at once', async (t) => {
  const own = switchedStack({ host: '127.0.0.1', udpPort: 0 }, undefined, systemClock, systemRandom);
  await listen(own.get() as PackageSctpStack);
  let free = false;
  own.close(() => {
    free = true;
  });
  t.true(free);
});
