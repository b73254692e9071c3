/**
 * Nameservice mode of a socket (draft-conrad-rserpool-service section 5): net's own connection, to one element of the pool
 * after another until one accepts it. From then on nothing stands between the application and net.
 *
 *   seeking --an element is found--> dialling --'connect'--> over
 *   dialling --net destroys the socket with the attempt's error--> seeking
 *   dialling --silence--> abandoning --net has cancelled the attempt--> seeking
 *   seeking --no element is left--> over, and the socket is destroyed
 *   any --the application destroys the socket--> over
 */

import type { BlockList, TcpNetConnectOpts } from 'node:net';
import type { Clock, Timer } from '../clock.js';
import { blockedError, isBlocked } from './block-list.js';
import { type ElementAddress, ElementsInTurn, type ElementsInTurnOptions } from './elements-in-turn.js';

/** What net's own methods do to the socket, and the socket itself. */
export interface PlainSocket {
  /** net's own `connect`. */
  dial(options: TcpNetConnectOpts): void;
  /** Gives an attempt up, but not the socket. */
  closeHandle(): void;
  /** It is connecting still, whatever net says. */
  goOn(): void;
  emit(event: string, ...args: unknown[]): boolean;
  destroy(error?: Error): unknown;
}

export interface PlainConnectionOptions extends ElementsInTurnOptions {
  readonly clock: Clock;
  /** Milliseconds for an element to accept the connection. */
  readonly failureTimeout: number;
  /** What net's `connect` is to be told beside host and port: localAddress and the like. */
  readonly own: object;
  /** Addresses that are not to be connected to. */
  readonly blockList?: BlockList | undefined;
}

type ConnectError = Error & Partial<Record<'code' | 'syscall' | 'address', string>> & { readonly port?: number };

export class PlainConnection {
  readonly poolHandle: string;
  readonly #socket: PlainSocket;
  readonly #options: PlainConnectionOptions;
  readonly #elements: ElementsInTurn;
  #state: 'seeking' | 'dialling' | 'abandoning' | 'over' = 'seeking';
  #element: ElementAddress | undefined;
  /** Who hears of the failed attempt may destroy the socket with its error: that is for good. */
  #telling = false;
  #errors: ConnectError[] = [];
  #timer: Timer | undefined;

  constructor(socket: PlainSocket, options: PlainConnectionOptions) {
    this.poolHandle = options.poolHandle;
    this.#socket = socket;
    this.#options = options;
    this.#elements = new ElementsInTurn(options);
    this.#seek();
  }

  /** The one that is connected, or tried. */
  get element(): ElementAddress | undefined {
    return this.#element;
  }

  /** No element has accepted the connection yet. */
  get isSeeking(): boolean {
    return this.#state !== 'over';
  }

  /** Before the socket emits an event of net's; false: nobody is to hear it. */
  beforeEvent(event: string | symbol): boolean {
    if (event === 'connectionAttemptFailed') {
      if (this.#state === 'abandoning') return false;
      this.#telling = true;
    } else if (event === 'connect') this.stop();
    return true;
  }

  afterEvent(): void {
    this.#telling = false;
  }

  /** Whether the socket's `destroy(error)` is net's, about an attempt: then the next element is tried instead. */
  takesFailure(error: unknown): boolean {
    const abandoned = this.#state === 'abandoning' && (error as ConnectError | undefined)?.code === 'ECANCELED';
    if (!abandoned && !(this.#state === 'dialling' && !this.#telling && this.#isOfAttempt(error))) return false;
    this.#timer?.cancel();
    if (!abandoned) {
      this.#failed(error as ConnectError);
      this.#socket.closeHandle();
    }
    this.#socket.goOn();
    this.#seek();
    return true;
  }

  /** The connection is made, or nobody wants it any more. */
  stop(): void {
    this.#state = 'over';
    this.#timer?.cancel();
    this.#elements.stop();
  }

  #seek(): void {
    this.#state = 'seeking';
    this.#elements.next((error, element) => {
      if (this.#state !== 'seeking') return;
      if (element !== undefined) this.#dial(element);
      else {
        this.#state = 'over';
        this.#socket.destroy(this.#total(error));
      }
    });
  }

  #dial(element: ElementAddress): void {
    const { clock, own, failureTimeout } = this.#options;
    const { address, family, port } = element;
    this.#state = 'dialling';
    this.#element = element;
    this.#socket.emit('lookup', null, address, family, this.poolHandle);
    if (this.#state !== 'dialling') return;
    if (isBlocked(this.#options.blockList, address)) {
      // It is nobody's failure.
      this.#errors.push(blockedError(address));
      this.#seek();
      return;
    }
    this.#timer = clock.setTimeout(() => this.#timedOut(element), failureTimeout);
    this.#socket.dial({ ...own, host: address, port });
  }

  #timedOut(element: ElementAddress): void {
    const { address, family, port } = element;
    this.#state = 'abandoning';
    const error = new Error(`connect ETIMEDOUT ${address}:${port}`);
    this.#failed(Object.assign(error, { code: 'ETIMEDOUT', syscall: 'connect', address, port }));
    this.#socket.emit('connectionAttemptTimeout', address, port, family);
    // net answers with ECANCELED.
    if (this.#state !== 'abandoning') return;
    this.#socket.closeHandle();
    this.#socket.goOn();
  }

  #isOfAttempt(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const { syscall, address, port } = error as ConnectError;
    return syscall === 'connect' && address === this.#element?.address && port === this.#element?.port;
  }

  #failed(error: ConnectError): void {
    this.#errors.push(error);
    if (this.#element !== undefined) this.#elements.reportUnreachable(this.#element);
  }

  /** As net's when it has tried several addresses: one error for all, with the first one's code. */
  #total(error: Error | undefined): Error {
    const [first, second] = this.#errors;
    if (error !== undefined || first === undefined) return error ?? new Error('no element was found');
    if (second === undefined) return first;
    const all = `none of the ${this.#errors.length} elements of pool '${this.poolHandle}' could be reached`;
    const message = `${all}: ${this.#errors.map((one) => one.message).join(', ')}`;
    return Object.assign(new AggregateError(this.#errors, message), { code: first.code });
  }
}
