/** The machine with the reference implementation, as test/interop/run.mjs has booted it. */

import { spawn } from 'node:child_process';

/** Our end of its network, and its own address. */
const machine = process.env.VM ?? '1';
export const ourAddress: string = `10.77.${machine}.1`;
export const theirAddress: string = `10.77.${machine}.2`;

/** Runs a command in the machine; resolves with what it printed, whatever its exit code. */
export function inLab(command: string): Promise<string> {
  const folder = process.env.RSERPOOL_LAB;
  if (folder === undefined) throw new Error('run by test/interop/run.mjs');
  return new Promise((resolve, reject) => {
    const child = spawn(`${folder}/run.sh`, ['-q', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

/** Ends every program of the reference implementation there. */
export async function clearLab(): Promise<void> {
  const programs = 'rspregistrar rspserver pingpongclient rspterminal calcappclient hsdump';
  // What was open has a few seconds to end: until then its port is taken.
  const gone =
    'for i in $(seq 100); do grep -qE " (3863|3864|9901|9902) " /proc/net/sctp/eps || break; sleep 0.1; done';
  await inLab(`for p in ${programs}; do pkill -9 -x $p; done; rm -f /tmp/t.*; ${gone}`);
}

/** Starts a program in the background; its output goes to /tmp/t.NAME. */
export async function start(name: string, command: string): Promise<void> {
  await inLab(`(stdbuf -oL ${command} > /tmp/t.${name} 2>&1 < /dev/null & echo $! > /tmp/t.${name}.pid)`);
}

/** Waits, in the machine, until a program's output has a line that matches; resolves with what there is then. */
export function output(name: string, pattern: string, seconds = 20): Promise<string> {
  const wait = `for i in $(seq ${seconds * 10}); do grep -aqE '${pattern}' /tmp/t.${name} && break; sleep 0.1; done`;
  return inLab(`${wait}; cat /tmp/t.${name}`);
}

/** Waits until a program there listens at this SCTP port. */
async function listening(port: number): Promise<void> {
  await inLab(`for i in $(seq 100); do grep -q ' ${port} ' /proc/net/sctp/eps && break; sleep 0.1; done`);
}

/** The reference registrar with the lab's ports. */
export async function startRegistrar(options = ''): Promise<void> {
  const at = `-asap=${theirAddress}:3863 -enrp=${theirAddress}:9901 -asapannounce=off -enrpannounce=off`;
  const fast = '-endpointkeepalivetransmissioninterval=2000 -endpointkeepalivetimeoutinterval=1500';
  const peers =
    '-mentordiscoverytimeout=1000 -peerheartbeatcycle=1000 -peermaxtimelastheard=3000 -peermaxtimenoresponse=1000';
  const log = '-logfile=/tmp/t.registrar.log -loglevel=5 -logcolor=off';
  await start(
    'registrar',
    `rspregistrar -identifier=0x10000001 ${at} ${fast} ${peers} -takeoverexpiryinterval=2000 ${log} ${options}`,
  );
  await listening(3863);
}

/** A second one, beside the first and its peer. */
export async function startSecondRegistrar(): Promise<void> {
  const at = `-asap=${theirAddress}:3864 -enrp=${theirAddress}:9902 -peer=${theirAddress}:9901`;
  const settings = '-asapannounce=off -enrpannounce=off -mentordiscoverytimeout=1000 -peerheartbeatcycle=1000';
  const times = '-peermaxtimelastheard=3000 -peermaxtimenoresponse=1000 -takeoverexpiryinterval=2000';
  const log = '-logfile=/tmp/t.second.log -loglevel=5 -logcolor=off';
  await start('second', `rspregistrar -identifier=0x10000002 ${at} ${settings} ${times} ${log}`);
  await listening(3864);
}

/** A reference element, registered with a registrar at `registrar`. */
export function startElement(
  name: string,
  registrar: string,
  service: string,
  port: number,
  options = '',
): Promise<void> {
  const at = `-registrar=${registrar}:3863 -asapannounce=off -local=${theirAddress}:${port}`;
  return start(name, `rspserver -${service} ${at} -rereginterval=5000 ${options}`);
}

export function kill(name: string): Promise<string> {
  return inLab(`kill -9 $(cat /tmp/t.${name}.pid)`);
}
