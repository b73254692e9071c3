/**
 * A network in memory and in virtual time, with the faults that a real one has: latency, slow links, segments lost
 * (and sent again a retransmission time-out later), links cut and joined, processes frozen and killed. It behaves as
 * TCP does under Linux where that decides whether data is lost: the system of a frozen process goes on to accept and
 * acknowledge; a killed process's sockets are closed by the system; a reset throws away what was not yet sent.
 */

import { type Random, seededRandom } from '../../random.js';
import type {
  Attempt,
  ByteStreamTransport,
  ConnectCallbacks,
  ListenCallbacks,
  Listener,
  MulticastTransport,
  TransportAddress,
} from '../transport.js';
import { formatAddress } from '../transport.js';
import { MemoryMulticast } from './multicast.js';
import { MemoryProcess } from './process.js';
import { MemoryStream } from './stream.js';
import type { Link, Segment, Surroundings } from './surroundings.js';
import { VirtualTime } from './virtual-time.js';

export interface MemoryNetworkOptions {
  readonly random?: Random;
  /** Of every link that is not set otherwise; milliseconds one way. Default: 0.1. */
  readonly latency?: number;
  /** Bytes a socket's receive buffer holds. Default: 256 KiB. */
  readonly receiveBuffer?: number;
  /** Cuts what is delivered at random places, as TCP may. Default: false. */
  readonly fragment?: boolean;
}

interface OpenPort {
  readonly process: MemoryProcess;
  readonly callbacks: ListenCallbacks;
}

/** Milliseconds until what was lost is sent again; nothing is known yet of the way of a connection request. */
const retransmissionTimeout = { request: 1000, data: 200 };

function systemError(code: string, call: string, at: TransportAddress): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call} ${code} ${formatAddress(at)}`), {
    code,
    syscall: call,
    address: at.host,
    port: at.port,
  });
}

export class MemoryNetwork implements Surroundings {
  readonly time: VirtualTime = new VirtualTime();
  readonly random: Random;
  readonly receiveBuffer: number;
  readonly fragment: boolean;
  /** Decides about each segment that is sent: 'lose' delivers it one retransmission time-out later. */
  intercept: ((from: string, to: string, segment: Segment) => 'deliver' | 'lose') | undefined;
  readonly #latency: number;
  readonly #links = new Map<string, Link>();
  readonly #ports = new Map<string, OpenPort>();
  readonly #waitingForLink = new Map<Link, (() => void)[]>();
  readonly #multicast: MemoryMulticast = new MemoryMulticast(this);
  #ephemeralPort = 32768;

  constructor(options: MemoryNetworkOptions = {}) {
    this.random = options.random ?? seededRandom(1);
    this.#latency = options.latency ?? 0.1;
    this.receiveBuffer = options.receiveBuffer ?? 256 * 1024;
    this.fragment = options.fragment ?? false;
  }

  /** Starts a process on the machine with this address. */
  spawn(address: string, name: string = address): MemoryProcess {
    const transport: ByteStreamTransport = {
      connect: (target, callbacks) => this.#connect(process, target, callbacks),
      listen: (at, callbacks) => this.#listen(process, at, callbacks),
    };
    const multicast: MulticastTransport = {
      join: (group, handler) => this.#multicast.join(process, group, handler),
    };
    const process: MemoryProcess = new MemoryProcess(this, address, name, { stream: transport, multicast });
    return process;
  }

  /** The way from one machine to another, to be changed at will. */
  link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { latency: this.#latency, bandwidth: Number.POSITIVE_INFINITY, cut: false };
      this.#links.set(key, link);
    }
    return link;
  }

  /** Cuts both ways between two machines. */
  cut(a: string, b: string): void {
    this.link(a, b).cut = true;
    this.link(b, a).cut = true;
  }

  /** Joins what was cut; what waited is delivered. */
  join(a: string, b: string): void {
    for (const link of [this.link(a, b), this.link(b, a)]) {
      link.cut = false;
      const waiting = this.#waitingForLink.get(link);
      this.#waitingForLink.delete(link);
      for (const send of waiting ?? []) send();
    }
  }

  /** Runs `send` now, or when the link is joined again. */
  whenJoined(link: Link, send: () => void): void {
    if (!link.cut) {
      send();
      return;
    }
    const waiting = this.#waitingForLink.get(link);
    if (waiting === undefined) this.#waitingForLink.set(link, [send]);
    else waiting.push(send);
  }

  /** How much later than it should a segment is to arrive. */
  lossDelay(from: string, to: string, segment: Segment): number {
    if (this.intercept?.(from, to, segment) !== 'lose') return 0;
    return segment.type === 'syn' ? retransmissionTimeout.request : retransmissionTimeout.data;
  }

  closePortsOf(transport: ByteStreamTransport): void {
    for (const [key, port] of this.#ports) if (port.process.transport === transport) this.#ports.delete(key);
  }

  /** The next ephemeral port on which nobody there listens. */
  #freePort(host: string): number {
    let port: number;
    do {
      port = this.#ephemeralPort;
      this.#ephemeralPort = port === 65535 ? 32768 : port + 1;
    } while (this.#ports.has(formatAddress({ host, port })));
    return port;
  }

  #listen(process: MemoryProcess, at: TransportAddress, callbacks: ListenCallbacks): Listener {
    const address = { host: process.address, port: at.port === 0 ? this.#freePort(process.address) : at.port };
    const key = formatAddress(address);
    let open = true;
    this.time.schedule(0, () => {
      process.dispatch('input', () => {
        if (!open) return;
        if (this.#ports.has(key)) {
          open = false;
          callbacks.onError(systemError('EADDRINUSE', 'listen', address));
          return;
        }
        this.#ports.set(key, { process, callbacks });
        callbacks.onListening(address);
      });
    });
    return {
      close: (onClosed) => {
        if (this.#ports.get(key)?.callbacks === callbacks) this.#ports.delete(key);
        open = false;
        if (onClosed !== undefined) process.clock.nextTurn(onClosed);
      },
      ref() {},
      unref() {},
    };
  }

  #connect(process: MemoryProcess, target: TransportAddress, callbacks: ConnectCallbacks): Attempt {
    let wanted = true;
    const there = this.link(process.address, target.host);
    const back = this.link(target.host, process.address);
    const answer = (run: () => void): void => {
      this.whenJoined(back, () => void this.time.schedule(back.latency, () => process.dispatch('input', run)));
    };
    this.whenJoined(there, () => {
      const loss = this.lossDelay(process.address, target.host, { type: 'syn' });
      this.time.schedule(there.latency + loss, () => {
        if (!wanted || process.state === 'dead') return;
        const port = this.#ports.get(formatAddress(target));
        if (port === undefined) {
          answer(() => wanted && callbacks.onError(systemError('ECONNREFUSED', 'connect', target)));
          return;
        }
        // The system accepts for its process, even a frozen one: the process learns of it when it runs.
        const near = new MemoryStream(
          process,
          { host: process.address, port: this.#freePort(process.address) },
          target,
        );
        const far = new MemoryStream(port.process, near.remoteAddress, near.localAddress);
        near.join(far);
        far.open((stream) => port.callbacks.onConnection(stream));
        answer(() => (wanted ? near.open((stream) => callbacks.onOpen(stream)) : near.orphan()));
      });
    });
    return {
      cancel() {
        wanted = false;
      },
    };
  }
}
