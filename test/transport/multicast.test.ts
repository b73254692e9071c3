/** Multicast in memory and over the system's loopback interface. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { udpMulticast } from '../../lib/transport/udp/multicast.js';

const group = { host: '224.0.1.185', port: 3863, ttl: 1 };

function member(process: MemoryProcess): { readonly heard: string[]; send(text: string): void; close(): void } {
  const heard: string[] = [];
  const channel = process.multicast.join(group, {
    onDatagram: (bytes, from) => void heard.push(`${Buffer.from(bytes)} from ${from.host}`),
    onError() {},
  });
  return { heard, send: (text) => channel.send(Buffer.from(text)), close: () => channel.close() };
}

test('in memory: all members hear a datagram, the sender too; a cut link, a loss and a frozen process do what they do', (t) => {
  const network = new MemoryNetwork({ latency: 1 });
  const processes = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => network.spawn(address));
  const [a, b, c] = processes.map(member) as [
    ReturnType<typeof member>,
    ReturnType<typeof member>,
    ReturnType<typeof member>,
  ];
  const run = (): void => {
    while (network.time.step());
  };
  a.send('one');
  run();
  for (const { heard } of [a, b, c]) t.deepEqual(heard, ['one from 10.0.0.1']);
  network.cut('10.0.0.1', '10.0.0.2');
  processes[2]?.freeze();
  a.send('two');
  run();
  network.join('10.0.0.1', '10.0.0.2');
  processes[2]?.thaw();
  run();
  // A datagram is not sent again, and waits in the socket of a frozen process.
  t.deepEqual(b.heard, ['one from 10.0.0.1']);
  t.deepEqual(c.heard, ['one from 10.0.0.1', 'two from 10.0.0.1']);
  network.intercept = () => 'lose';
  a.send('three');
  network.intercept = undefined;
  c.close();
  a.send('four');
  run();
  t.is(b.heard.at(-1), 'four from 10.0.0.1');
  t.false(b.heard.includes('three from 10.0.0.1'));
  t.is(c.heard.length, 2);
});

/** A free port, held by a socket that keeps this process alive until the test is over, since members of a group do not. */
async function freePort(t: ExecutionContext): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => void socket.close());
  return (socket.address() as AddressInfo).port;
}

test('over UDP: two members of one machine hear each other, what was sent before they had joined included', async (t) => {
  const local = { host: '239.255.77.3', port: await freePort(t), ttl: 0, interface: '127.0.0.1' };
  const heard: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const channels: { send(bytes: Uint8Array): void; close(): void }[] = [];
    const hear = (who: string, bytes: Uint8Array, from: string): void => {
      heard.push(`${who} ${Buffer.from(bytes)} ${from}`);
      if (who === 'first' && Buffer.from(bytes).equals(Buffer.from('hello'))) channels[1]?.send(Buffer.from('again'));
      if (heard.filter((text) => text.includes('again')).length < 2) return;
      for (const channel of channels) channel.close();
      resolve();
    };
    for (const who of ['first', 'second']) {
      channels.push(
        udpMulticast.join(local, { onDatagram: (bytes, { host }) => hear(who, bytes, host), onError: reject }),
      );
    }
    channels[1]?.send(Buffer.from('hello'));
  });
  t.true(heard.includes('first hello 127.0.0.1'));
  t.true(heard.includes('first again 127.0.0.1'));
  t.true(heard.includes('second again 127.0.0.1'));
});

test('over UDP: a group that cannot be joined is an error, once, and harmless', async (t) => {
  const nowhere = { host: '239.255.77.4', port: await freePort(t), ttl: 1, interface: '192.0.2.250' };
  const errors: Error[] = [];
  await new Promise<void>((resolve) => {
    const channel = udpMulticast.join(nowhere, {
      onDatagram() {},
      onError: (error) => {
        errors.push(error);
        channel.send(Buffer.from('into the void'));
        channel.close();
        resolve();
      },
    });
  });
  t.is(errors.length, 1);
});
