/** Ours and the reference implementation, in every role (docs/sctp.md). Run by test/interop/run.mjs, one after another. */

import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { pingPongPool, servePingPong, usePingPong } from '../../examples/reference-services/ping-pong.js';
import rserpool, { OperationalScope, Registrar, Server } from '../../lib/index.js';
import { PackageSctpStack } from '../../lib/transport/sctp/package/package-stack.js';
import { type RawSockets, rawIpTransport } from '../../lib/transport/sctp/raw-ip.js';
import {
  clearLab,
  inLab,
  kill,
  ourAddress,
  output,
  start,
  startElement,
  startRegistrar,
  startSecondRegistrar,
  theirAddress,
} from './lab.js';

const it = test.serial;

/** Looks every 20 ms until it is so; fails after `seconds`. */
async function until(what: string, condition: () => boolean, seconds = 30): Promise<void> {
  for (let i = 0; i < seconds * 50; i++) {
    if (condition()) return;
    await pause(20);
  }
  throw new Error(`not in ${seconds} s: ${what}`);
}

/** What carries SCTP: UDP, or IP itself where the native module could be built. */
type Way = 'udp' | 'plain';

const rawSocket = process.env.RSERPOOL_RAW_SOCKET;
const ways: readonly Way[] = rawSocket === undefined ? ['udp'] : ['udp', 'plain'];

/** Has their associations go into UDP, or straight into IP. */
async function speak(way: Way): Promise<void> {
  await inLab(`sysctl -qw net.sctp.encap_port=${way === 'udp' ? 9899 : 0}`);
}

/** What a scope or registrar needs to speak so; ends when the test does. */
function sctpOf(t: ExecutionContext, way: Way) {
  if (way === 'udp') return { sctp: { host: ourAddress } };
  const load = (): Promise<{ default: RawSockets }> => import(pathToFileURL(rawSocket ?? '').href);
  const stack = new PackageSctpStack({ host: ourAddress, transport: 'raw' }, { datagrams: rawIpTransport({ load }) });
  t.teardown(() => new Promise<void>((resolve) => stack.closeWhenIdle(2000, resolve)));
  return { transports: { sctp: stack } };
}

function scopeAt(t: ExecutionContext, way: Way, registrars: string): OperationalScope {
  const scope = new OperationalScope({ registrars, ...sctpOf(t, way), compatibility: 'rsplib' });
  // The next test needs its UDP port.
  t.teardown(() => {
    scope.close();
    return new Promise<void>((resolve) => scope.sctp.close(resolve));
  });
  return scope;
}

async function ourRegistrar(
  t: ExecutionContext,
  way: Way,
  peers: readonly string[] = [],
  serverId = 0x3000_0001,
): Promise<Registrar> {
  const registrar = new Registrar({
    host: ourAddress,
    serverId,
    ...sctpOf(t, way),
    compatibility: 'rsplib',
    timers: { keepAliveInterval: 2000 },
    enrp: { host: ourAddress, peers, timers: { heartbeatCycle: 1000, discoveryTime: 2000 }, serveWhileStarting: true },
  });
  t.teardown(() => new Promise<void>((resolve) => void registrar.close(resolve)));
  await new Promise<void>((resolve, reject) => {
    registrar.once('error', reject);
    registrar.listen(() => resolve());
  });
  return registrar;
}

test.beforeEach(() => clearLab());

const policies = [
  ...['RoundRobin', 'WeightedRoundRobin:3', 'Random', 'WeightedRandom:7', 'Priority:5', 'LeastUsed'],
  ...['LeastUsedDegradation:0.25', 'PriorityLeastUsed:0.125', 'WeightedRandomDPF:9:0.5', 'LeastUsedDPF:0.5'],
  ...['PriorityLeastUsedDegradation:0.125', 'RandomizedLeastUsed', 'RandomizedPriorityLeastUsed'],
];

for (const way of ways) {
  const suffix = way === 'plain' ? ', straight in IP' : '';

  it(`(a) our user at their echo element, by their registrar${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar();
    await startElement('pe', theirAddress, 'echo', 7777);
    const scope = scopeAt(t, way, `sctp:${theirAddress}`);
    const socket = rserpool.connect({ poolHandle: 'EchoPool', scope, mappings: ['sctp'] });
    const echoed: string[] = [];
    socket.on('message', (message) => {
      echoed.push(`${message.streamId}/${message.ppid} ${Buffer.from(message.data).toString()}`);
      message.acknowledge();
    });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    for (let i = 0; i < 5; i++) socket.send(Buffer.from(`line ${i}`), { ppid: 10_000 + i });
    socket.send(new Uint8Array(9000).fill(65), { ppid: 9999 });
    await until('everything is echoed', () => echoed.length === 6);
    t.deepEqual(
      echoed.slice(0, 5),
      [0, 1, 2, 3, 4].map((i) => `0/${10_000 + i} line ${i}`),
    );
    t.is(echoed[5]?.length, '0/9999 '.length + 9000);
    socket.destroy();
  });

  it(`(a) our user at their ping-pong elements: kill -9, the cookie goes on, and so do the numbers${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar();
    await startElement('pe1', theirAddress, 'pingpong', 7771, '-identifier=0x20000001');
    await startElement('pe2', theirAddress, 'pingpong', 7772, '-identifier=0x20000002');
    const scope = scopeAt(t, way, `sctp:${theirAddress}`);
    const replies: bigint[] = [];
    let failovers = 0;
    const socket = usePingPong(scope, 50, ({ replyNumber }) => replies.push(replyNumber));
    socket.on('failover', () => failovers++);
    socket.on('error', (error) => t.fail(error.message));
    await until('pongs', () => replies.length > 20);
    const serving = socket.element?.identifier;
    await kill(serving === 0x2000_0001 ? 'pe1' : 'pe2');
    const before = replies.length;
    await until('pongs of another element', () => replies.length > before + 20);
    t.is(failovers, 1);
    t.not(socket.element?.identifier, serving);
    // Each number once and in order, but for those whose cookie did not arrive before the kill.
    const steps = replies.slice(1).map((reply, i) => Number(reply - replies[i]!));
    t.true(steps.filter((step) => step !== 1).length <= 1, steps.join());
    t.true(replies.at(-1)! > 30n);
    socket.destroy();
  });

  it(`(b) our elements at their registrar, used by their clients, beside one of theirs${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar();
    const scope = scopeAt(t, way, `sctp:${theirAddress}`);
    const server = servePingPong({
      scope,
      mappings: ['sctp'],
      port: 7777,
      advertise: { host: ourAddress },
      peIdentifier: 0x4000_0001,
    });
    await new Promise<void>((resolve, reject) => server.once('registered', resolve).once('error', reject));
    t.regex(await inLab(`timeout 5 hsdump ${theirAddress}:9901`), /40000001/);
    await start(
      'client',
      `pingpongclient -registrar=${theirAddress}:3863 -asapannounce=off -poolhandle=${pingPongPool} -interval=100`,
    );
    const used = await output('client', 'Ack #10 ', 20);
    t.regex(used, /40000001/);
    await startElement('pe', theirAddress, 'pingpong', 7772, '-identifier=0x20000002');
    await inLab(
      `for i in $(seq 50); do timeout 5 hsdump ${theirAddress}:9901 | grep -q 20000002 && break; sleep 0.2; done`,
    );
    // Keep-alives every 2 s: it is still registered.
    await pause(6000);
    t.regex(await inLab(`timeout 5 hsdump ${theirAddress}:9901`), /40000001/);
    await server.handOver();
    const after = await output('client', 'from PE .20000002', 20);
    t.regex(after, /from PE .20000002/);
    t.notRegex(await inLab(`timeout 5 hsdump ${theirAddress}:9901`), /40000001/);
  });

  it(`(b) our echo element serves their terminal${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar();
    const scope = scopeAt(t, way, `sctp:${theirAddress}`);
    const server = new Server();
    server.on('connection', (socket) => {
      socket.on('message', (message) =>
        message.reply(message.data, { ppid: message.ppid, streamId: message.streamId }),
      );
    });
    server.listen({ poolHandle: 'EchoPool', scope, mappings: ['sctp'], port: 7778, advertise: { host: ourAddress } });
    await new Promise<void>((resolve, reject) => server.once('registered', resolve).once('error', reject));
    const terminal = `rspterminal -registrar=${theirAddress}:3863 -asapannounce=off -poolhandle=EchoPool`;
    t.regex(await inLab(`(echo hello from theirs; sleep 2) | timeout -s INT 4 ${terminal} 2>&1`), /hello from theirs/);
    server.close();
  });

  it(`(c) our registrar takes their elements with all 13 policies, and they answer its keep-alives${suffix}`, async (t) => {
    await speak(way);
    const registrar = await ourRegistrar(t, way);
    for (const [i, policy] of policies.entries()) {
      const options = `-identifier=0x3000000${i.toString(16)} -policy=${policy} -poolhandle=${policy.split(':', 1)}`;
      await startElement(`pe${i}`, ourAddress, 'echo', 7800 + i, options);
    }
    await until('13 elements', () => registrar.stats.elements === policies.length);
    await pause(6000);
    t.is(registrar.stats.elements, policies.length);
    t.true(registrar.stats.keepAlivesSent >= policies.length);
    t.is(registrar.stats.registrationsRejected, 0);
  });

  it(`(c) their client at their elements by our registrar: fails over on kill -9, and its numbers go on${suffix}`, async (t) => {
    await speak(way);
    const registrar = await ourRegistrar(t, way);
    await startElement('pe1', ourAddress, 'pingpong', 7771, '-identifier=0x20000001');
    await startElement('pe2', ourAddress, 'pingpong', 7772, '-identifier=0x20000002');
    await until('two elements', () => registrar.stats.elements === 2);
    await start(
      'client',
      `pingpongclient -registrar=${ourAddress}:3863 -asapannounce=off -poolhandle=${pingPongPool} -interval=100`,
    );
    const before = await output('client', 'Ack #10 ', 20);
    const serving = /2000000[12]/.exec(before)?.[0];
    await kill(serving === '20000001' ? 'pe1' : 'pe2');
    const after = await output('client', serving === '20000001' ? '20000002' : '20000001', 20);
    t.regex(after, serving === '20000001' ? /20000002/ : /20000001/);
    await until('the dead one is gone', () => registrar.stats.elements === 1);
  });

  it(`(d) our registrar and theirs are peers: table, updates both ways, checksums, and ours takes over${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar();
    await startElement('pe', theirAddress, 'echo', 7777, '-identifier=0x20000001');
    await inLab(
      `for i in $(seq 50); do timeout 5 hsdump ${theirAddress}:9901 | grep -q 20000001 && break; sleep 0.2; done`,
    );
    const registrar = await ourRegistrar(t, way, [`sctp:${theirAddress}`]);
    // Their table.
    await until('their element', () => registrar.stats.elements === 1);
    // An update of theirs.
    await startElement('pe2', theirAddress, 'echo', 7772, '-identifier=0x20000002');
    await until('their second element', () => registrar.stats.elements === 2);
    // An update of ours: one of their elements, at home with us.
    await startElement('pe3', ourAddress, 'echo', 7773, '-identifier=0x20000003');
    await until('our element', () => registrar.stats.ownedElements === 1);
    const dump = `for i in $(seq 50); do timeout 5 hsdump ${theirAddress}:9901 > /tmp/t.dump; grep -q 20000003 /tmp/t.dump && break; sleep 0.2; done; cat /tmp/t.dump`;
    t.regex(await inLab(dump), /20000003/);
    await kill('pe2');
    await until('the removal of theirs', () => registrar.stats.elements === 2);
    // Presence with the right checksum: no audit drops or doubles anything.
    await pause(4000);
    t.is(registrar.stats.elements, 2);
    t.deepEqual(
      registrar.enrp?.peers.map(({ serverId, connected }) => [serverId, connected]),
      [[0x1000_0001, true]],
    );
    await kill('registrar');
    await until('our takeover', () => registrar.stats.ownedElements === 2, 40);
    t.is(registrar.stats.elements, 2);
  });

  it(`(d) their handle table comes in parts, and they begin to take over for ours${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar(`-peer=${theirAddress}:9902 -maxelementsperhtrequest=2`);
    for (let i = 0; i < 5; i++) {
      await startElement(
        `pe${i}`,
        theirAddress,
        'echo',
        7771 + i,
        `-identifier=0x2000000${i + 1} -poolhandle=Big${i % 2}`,
      );
    }
    await inLab(
      `for i in $(seq 50); do timeout 5 hsdump ${theirAddress}:9901 | grep -q 20000005 && break; sleep 0.2; done`,
    );
    const registrar = await ourRegistrar(t, way, [`sctp:${theirAddress}`, `sctp:${theirAddress}:9902`]);
    await until('all parts of the table', () => registrar.stats.elements === 5);
    await startSecondRegistrar();
    await until('both peers', () => registrar.enrp?.peers.filter(({ connected }) => connected).length === 2);
    await startElement('ours', ourAddress, 'echo', 7780, '-identifier=0x20000009');
    await until('an element of ours', () => registrar.stats.ownedElements === 1);
    await new Promise<void>((resolve) => void registrar.close(resolve));
    // One of them begins, or both at once, and one acknowledges; what should follow (Takeover Server) they never bring onto the wire.
    const begun = 'Got InitTakeoverAck from peer .1000000[12] for target .30000001';
    const logs = '/tmp/t.registrar.log /tmp/t.second.log';
    const wait = `for i in $(seq 200); do grep -aqE "${begun}" ${logs} && break; sleep 0.1; done`;
    t.regex(await inLab(`${wait}; grep -aiE "takeover|30000001" ${logs} | tail -n 100`), new RegExp(begun));
  });

  it(`(d) three registrars: ours takes over from one of theirs, and their other one agrees${suffix}`, async (t) => {
    await speak(way);
    await startRegistrar(`-peer=${theirAddress}:9902`);
    await startSecondRegistrar();
    await startElement('pe', theirAddress, 'echo', 7777, '-identifier=0x20000001');
    // There the smaller identifier goes on, and its own takeover never ends: ours is the smaller one.
    const registrar = await ourRegistrar(t, way, [`sctp:${theirAddress}`, `sctp:${theirAddress}:9902`], 0x0800_0001);
    await until('both peers', () => registrar.enrp?.peers.filter(({ connected }) => connected).length === 2);
    await until('their element', () => registrar.stats.elements === 1);
    await kill('registrar');
    await until('our takeover', () => registrar.stats.ownedElements === 1, 40);
    // It may have begun one of its own.
    const agreed = '(Acknowledging peer .08000001.s|Peer .08000001, also trying) takeover of .10000001';
    t.not(await inLab(`for i in $(seq 100); do grep -ahE "${agreed}" /tmp/t.second.log && break; sleep 0.1; done`), '');
    const dump = `for i in $(seq 50); do timeout 5 hsdump ${theirAddress}:9902 > /tmp/t.dump; grep -qi 08000001 /tmp/t.dump && break; sleep 0.2; done; cat /tmp/t.dump`;
    t.regex(await inLab(dump), /0*8000001/i);
    t.is(registrar.stats.elements, 1);
  });
}
