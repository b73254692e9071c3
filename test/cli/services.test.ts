import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { built, TestProcess } from '../processes/process.js';
import { authority, element, registrar as ofRegistrar } from '../transport/certificates.js';

const main = 'lib/cli/main.js';
const command = (t: ExecutionContext, ...words: string[]): TestProcess => {
  const started = new TestProcess(main, words);
  t.teardown(() => started.kill());
  return started;
};

async function registrar(t: ExecutionContext): Promise<{ process: TestProcess; registrars: string; status: string }> {
  const started = command(t, 'registrar', '--port', '0', '--status-port', '0');
  const [, registrars = ''] = await started.printed(/listens on (\S+)/);
  const [, status = ''] = await started.printed(/status on http:\/\/(\S+)\/status/);
  return { process: started, registrars, status };
}

async function service(t: ExecutionContext, port: number = 0): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('hello')).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { server, port: (server.address() as net.AddressInfo).port };
}

const quick = ['--check-interval', '50'];

test('register puts a service into its pool, out of it while it is gone, and out of it at the end', async (t) => {
  const { process: watched, registrars } = await registrar(t);
  const { server, port } = await service(t);
  const registration = command(t, 'register', 'db', '--port', `${port}`, '--registrars', registrars, ...quick);
  await registration.printed(/^registered db 0x/m);
  await watched.printed(/^added db/m);
  server.close();
  await registration.printed(/^unhealthy db .*ECONNREFUSED/m);
  await watched.printed(/^removed db/m);
  await service(t, port);
  await registration.printed(/unhealthy[\s\S]*^registered db 0x/m);
  registration.signal('SIGTERM');
  t.is(await registration.exited, 0);
  t.regex(registration.stdout, /^deregistered db/m);
});

test('register checks by a command and by an http URL', async (t) => {
  const { registrars } = await registrar(t);
  let status = 200;
  const web = http.createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.teardown(() => web.close());
  const { port } = web.address() as net.AddressInfo;
  const words = ['--port', `${port}`, '--registrars', registrars, ...quick];
  const byUrl = command(t, 'register', 'web', ...words, '--check', `http://127.0.0.1:${port}/health`);
  await byUrl.printed(/^registered web/m);
  status = 503;
  await byUrl.printed(/^unhealthy web .*answered 503/m);
  const byCommand = command(t, 'register', 'job', ...words, '--check', 'command:exit 3');
  const scope = new OperationalScope({ registrars });
  t.teardown(() => scope.close());
  await t.throwsAsync(scope.resolve('job'), { code: 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE' });
  await byCommand.printed(/^waiting for the service/m);
  byCommand.signal('SIGINT');
  t.is(await byCommand.exited, 0);
});

test('register and resolve speak TLS where the registrar does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rserpool-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ca = ['--tls-ca', file('ca.pem', authority)];
  const own = (name: string, { cert, key }: typeof element): string[] => [
    ...['--tls-cert', file(`${name}.pem`, cert)],
    ...['--tls-key', file(`${name}.key`, key)],
  ];
  const started = command(t, 'registrar', '--port', '0', ...ca, ...own('registrar', ofRegistrar));
  const [, registrars = ''] = await started.printed(/listens on (\S+)/);
  const { port } = await service(t);
  const words = ['--registrars', registrars, ...ca];
  await command(t, 'register', 'db', '--port', `${port}`, ...words, ...own('db', element)).printed(/^registered db/m);
  const resolved = command(t, 'resolve', 'db', ...words);
  t.is(await resolved.exited, 0, resolved.stderr);
  t.true(resolved.stdout.includes(`:${port}`));
  const untrusting = command(t, 'resolve', 'db', '--registrars', registrars, ...own('db', element));
  t.is(await untrusting.exited, 1);
  const half = command(t, 'resolve', 'db', ...words, '--tls-key', join(folder, 'db.key'));
  t.is(await half.exited, 2);
});

test('proxy leads a client to the pool', async (t) => {
  const { registrars } = await registrar(t);
  const { port } = await service(t);
  const words = ['--registrars', registrars];
  await command(t, 'register', 'db', '--port', `${port}`, ...words).printed(/^registered/m);
  const proxy = command(t, 'proxy', 'db', '--listen', '0', ...words);
  const [, at = ''] = await proxy.printed(/listens on 127\.0\.0\.1:(\d+)/);
  const client = net.connect(Number(at), '127.0.0.1');
  const [data] = (await once(client, 'data')) as [Buffer];
  t.is(String(data), 'hello');
  await proxy.printed(/^127\.0\.0\.1:\d+ to 0x/m);
  client.end();
  await once(client, 'close');
  proxy.signal('SIGTERM');
  t.is(await proxy.exited, 0);
});

test('top shows pools by name and all pools of a registrar, and what has changed as plain text', async (t) => {
  const { registrars, status } = await registrar(t);
  const { port } = await service(t);
  const empty = command(t, 'top', '--status', status, '--once');
  t.is(await empty.exited, 0);
  t.is(empty.stdout, 'no pools\n');
  const watching = command(t, 'top', 'db', '--registrars', registrars, '--interval', '50');
  await watching.printed(/^db: 0 elements$/m);
  const words = ['--port', `${port}`, '--host', '127.0.0.1', '--registrars', registrars];
  const registration = command(t, 'register', 'db', ...words);
  await watching.printed(/^db: 1 element, roundRobin\n {2}0x[0-9a-f]{8} {2}tcp 127\.0\.0\.1:\d+/m);
  const once = command(t, 'top', '--status', status, '--once');
  t.is(await once.exited, 0);
  t.regex(once.stdout, /^db: 1 element, roundRobin\n {2}0x[0-9a-f]{8} {2}tcp/);
  registration.signal('SIGTERM');
  await registration.exited;
  await watching.printed(/1 element[\s\S]*^db: 0 elements$/m);
  watching.signal('SIGINT');
  t.is(await watching.exited, 0);
});

test('demo ends well', async (t) => {
  const demo = command(t, 'demo', '--faults', '1');
  t.is(await demo.exited, 0);
  const [, requests, answers] = await demo.printed(/(\d+) requests, (\d+) answers/);
  t.is(requests, answers);
  t.regex(demo.stdout, /is killed[\s\S]*serves, after/);
});

test('every command has --help', async (t) => {
  for (const name of ['registrar', 'register', 'resolve', 'proxy', 'top', 'demo']) {
    const help = command(t, name, '--help');
    t.is(await help.exited, 0);
    t.true(help.stdout.startsWith(`Usage: rserpool ${name}`));
  }
});

test('wrong words end with exit code 2 and the usage', async (t) => {
  for (const words of [
    ['register', 'db'],
    ['register', '--port', '1'],
    ['register', 'db', '--port', '1', '--check', 'nonsense'],
    ['register', 'db', '--port', '1', '--protocol', 'sctp'],
    ['proxy', 'db'],
    ['proxy', 'db', '--listen', 'nowhere'],
    ['proxy', 'db', '--listen', '0', '--mode', 'x'],
    ['top'],
    ['top', 'db', '--interval', 'x'],
    ['demo', '--faults', '-1'],
  ]) {
    const wrong = command(t, ...words);
    t.is(await wrong.exited, 2, words.join(' '));
    t.regex(wrong.stderr, /Usage: rserpool/, words.join(' '));
  }
});

test('a registrar whose output nobody reads any more ends in order', async (t) => {
  const child = spawn(process.execPath, [built(main), 'registrar', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const registrars = /listens on (\S+)/.exec(String(line))?.[1] ?? '';
  child.stdout.destroy();
  const { port } = await service(t);
  // The next line finds nobody.
  const registration = command(t, 'register', 'db', '--port', `${port}`, '--registrars', registrars);
  const [code] = (await once(child, 'exit')) as [number | null];
  t.is(code, 0);
  t.is(errors, '');
  await registration.kill();
});
