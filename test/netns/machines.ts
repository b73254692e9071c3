/** Two machines on one wire: network namespaces, joined by a pair of virtual interfaces, with firewalls that can drop. */

import { execFileSync, spawnSync } from 'node:child_process';

export interface Machine {
  readonly namespace: string;
  readonly address: string;
}

/** The system's commands only: npm puts those of packages first, and one of these is named nft as well. */
const env = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin' };

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

const hasNft = spawnSync('nft', ['--version'], { env, stdio: 'ignore' }).status === 0;

export class Machines {
  readonly first: Machine;
  readonly second: Machine;
  readonly #name: string;

  /** Call `close` whatever happens; namespaces outlive their maker. */
  constructor() {
    // Known to run.mjs, which takes away what is left over when this process is killed.
    this.#name = process.env.RSERPOOL_NETNS ?? `rs${process.pid}`;
    this.first = { namespace: `${this.#name}a`, address: '10.77.0.1' };
    this.second = { namespace: `${this.#name}b`, address: '10.77.0.2' };
  }

  open(): void {
    for (const { namespace } of this.#all()) run('ip', 'netns', 'add', namespace);
    const [one, other] = this.#all().map(({ namespace }) => namespace) as [string, string];
    run('ip', 'link', 'add', 'wire', 'netns', one, 'type', 'veth', 'peer', 'name', 'wire', 'netns', other);
    for (const { namespace, address } of this.#all()) {
      run('ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'wire');
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
      run('ip', '-n', namespace, 'link', 'set', 'wire', 'up');
    }
  }

  /** The second machine's firewall drops all that comes over the wire; with a port, what goes from or to that one. */
  cut(port?: number): void {
    const { namespace } = this.second;
    const inside = (...words: readonly string[]): void => run('ip', 'netns', 'exec', namespace, ...words);
    if (hasNft) {
      inside('nft', 'add', 'table', 'inet', 'rserpool');
      inside('nft', 'add chain inet rserpool cut { type filter hook input priority 0; }');
      if (port === undefined) inside('nft', 'add rule inet rserpool cut iifname wire drop');
      else {
        inside('nft', `add rule inet rserpool cut iifname wire tcp dport ${port} drop`);
        inside('nft', `add rule inet rserpool cut iifname wire tcp sport ${port} drop`);
      }
    } else if (port === undefined) inside('iptables', '-A', 'INPUT', '-i', 'wire', '-j', 'DROP');
    else {
      for (const side of ['--dport', '--sport']) {
        inside('iptables', '-A', 'INPUT', '-i', 'wire', '-p', 'tcp', side, `${port}`, '-j', 'DROP');
      }
    }
  }

  join(): void {
    const inside = ['ip', 'netns', 'exec', this.second.namespace] as const;
    if (hasNft) run(...inside, 'nft', 'delete', 'table', 'inet', 'rserpool');
    else run(...inside, 'iptables', '-F', 'INPUT');
  }

  /** Kills what runs on the machines, and takes them away. */
  close(): void {
    for (const { namespace } of this.#all()) {
      const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { env, encoding: 'utf8' });
      for (const pid of (stdout ?? '').split('\n').filter((line) => line !== '')) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It ended by itself meanwhile.
        }
      }
      spawnSync('ip', ['netns', 'del', namespace], { env, stdio: 'ignore' });
    }
  }

  #all(): readonly Machine[] {
    return [this.first, this.second];
  }
}
