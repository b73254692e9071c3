import { seededRandom } from '../../../lib/random.js';
import { MemoryDatagrams } from '../../../lib/transport/memory/datagrams.js';
import { MemoryNetwork } from '../../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../../lib/transport/memory/process.js';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import type { SctpStackOptions } from '../../../lib/transport/sctp/package/stack-options.js';
import type {
  SctpAssociation,
  SctpAssociationHandler,
  SctpMessage,
  SctpNotification,
} from '../../../lib/transport/sctp/sctp-stack.js';

export const port = 7777;

/** The owner of an association, who keeps what it is told. */
export class SctpOwner implements SctpAssociationHandler {
  readonly association: SctpAssociation;
  readonly messages: SctpMessage[] = [];
  readonly notifications: SctpNotification[] = [];
  acknowledged = 0;
  closes = 0;
  error: Error | undefined;
  onArrival: (message: SctpMessage) => void = () => {};

  constructor(association: SctpAssociation) {
    this.association = association;
  }

  send(data: string | Uint8Array, streamId: number = 0, ppid: number = 0, unordered: boolean = false): void {
    this.association.send(typeof data === 'string' ? Buffer.from(data) : data, { streamId, ppid, unordered });
  }

  get texts(): string[] {
    return this.messages.map(({ data }) => Buffer.from(data).toString());
  }

  onMessage(message: SctpMessage): void {
    this.messages.push(message);
    this.onArrival(message);
  }

  onAcknowledged(count: number): void {
    this.acknowledged += count;
  }

  onHeard(): void {}

  onNotification(notification: SctpNotification): void {
    this.notifications.push(notification);
  }

  onClose(error: Error | undefined): void {
    this.closes++;
    this.error = error;
  }
}

export interface SctpWorldOptions {
  readonly seed?: number;
  readonly latency?: number;
  readonly loss?: number;
  readonly duplication?: number;
  readonly reordering?: number;
  readonly user?: Partial<SctpStackOptions>;
  readonly element?: Partial<SctpStackOptions>;
}

/** Two machines with an SCTP stack each, in virtual time; the element's listens. */
export class SctpWorld {
  readonly network: MemoryNetwork;
  readonly datagrams: MemoryDatagrams;
  readonly userProcess: MemoryProcess;
  readonly elementProcess: MemoryProcess;
  readonly user: PackageSctpStack;
  readonly element: PackageSctpStack;
  readonly accepted: SctpOwner[] = [];
  onAccepted: (owner: SctpOwner) => void = () => {};

  constructor(options: SctpWorldOptions = {}) {
    const random = seededRandom(options.seed ?? 1);
    this.network = new MemoryNetwork({ latency: options.latency ?? 1, random });
    this.datagrams = new MemoryDatagrams(this.network);
    this.datagrams.faults = {
      loss: options.loss ?? 0,
      duplication: options.duplication ?? 0,
      reordering: options.reordering ?? 0,
      reorderingDelay: 5,
    };
    this.userProcess = this.network.spawn('10.0.0.1');
    this.elementProcess = this.network.spawn('10.0.0.2');
    this.user = this.stack(this.userProcess, { udpPort: 0, ...options.user });
    this.element = this.stack(this.elementProcess, options.element);
    this.listen(this.elementProcess, this.element);
  }

  stack(process: MemoryProcess, options: Partial<SctpStackOptions> = {}): PackageSctpStack {
    const { random } = this.network;
    const datagrams = this.datagrams.transportOf(process);
    return new PackageSctpStack(options, { clock: process.clock, random, datagrams });
  }

  listen(process: MemoryProcess, stack: PackageSctpStack): void {
    process.dispatch('input', () => {
      stack.listen(port, {
        onListening() {},
        onAssociation: (association) => {
          const owner = new SctpOwner(association);
          this.accepted.push(owner);
          this.onAccepted(owner);
          return owner;
        },
        onError: (error) => {
          throw error;
        },
      });
    });
    this.run(1);
  }

  /** Begins to connect; `opened` is told. */
  connect(opened: (owner: SctpOwner | Error) => void, stack: PackageSctpStack = this.user): void {
    this.userProcess.dispatch('input', () => {
      stack.connect(
        { host: '10.0.0.2', port },
        {
          onOpen(association) {
            const owner = new SctpOwner(association);
            opened(owner);
            return owner;
          },
          onError: opened,
        },
      );
    });
  }

  /** Both ends of an association that is up. */
  open(): { readonly user: SctpOwner; readonly element: SctpOwner } {
    let user: SctpOwner | Error | undefined;
    this.connect((result) => {
      user = result;
    });
    this.run(500);
    const element = this.accepted.at(-1);
    if (!(user instanceof SctpOwner) || element === undefined) throw user ?? new Error('not open');
    return { user, element };
  }

  /** Runs everything that falls due in the next `duration` ms, or until `done`. Returns the ms that passed. */
  run(duration: number, done: () => boolean = () => false): number {
    const { time } = this.network;
    const from = time.now;
    const until = from + duration;
    while (time.now < until) {
      if (done()) break;
      if (!time.step(until)) time.advanceTo(until);
    }
    return time.now - from;
  }
}
