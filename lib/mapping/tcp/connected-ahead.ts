/**
 * A byte stream that is opened before it is known to be needed. Nothing is said over it until it is claimed, and if nobody
 * does, the far side hears of no connection.
 *
 *   connecting --open--> ready --claimed, lost, dropped--> over
 *   connecting --error--> failed --claimed, dropped--> over
 *   connecting --claimed--> over: the claimant is told what comes of it
 *   connecting --dropped, time--> unwanted --open, error, time--> over
 */

import type { Clock, Timer } from '../../clock.js';
import {
  type Attempt,
  type ByteStream,
  type ByteStreamTransport,
  type ConnectCallbacks,
  formatAddress,
  noHandler,
  type TransportAddress,
} from '../../transport/transport.js';

/** What opens byte streams. */
export type Connector = Pick<ByteStreamTransport, 'connect'>;

/** So many times its time-out, an attempt that nobody wants may take until it can be reset. */
const patience = 10;

type State =
  | { readonly type: 'connecting' }
  | { readonly type: 'ready'; readonly stream: ByteStream }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'unwanted' }
  | { readonly type: 'over' };

export class ConnectedAhead implements Connector {
  readonly #connector: Connector;
  readonly #clock: Clock;
  readonly #address: string;
  readonly #attempt: Attempt;
  readonly #timeout: number;
  #limit: Timer;
  #state: State = { type: 'connecting' };
  #claimant: ConnectCallbacks | undefined;

  /**
   * Begins to connect; what nobody has claimed after `timeout` ms is dropped. `onSettled` when there is a byte stream, or an
   * error, and nobody has claimed it.
   */
  constructor(connector: Connector, clock: Clock, address: TransportAddress, timeout: number, onSettled: () => void) {
    this.#connector = connector;
    this.#clock = clock;
    this.#address = formatAddress(address);
    this.#timeout = timeout;
    this.#attempt = connector.connect(address, {
      onOpen: (stream) => {
        if (this.#claimant !== undefined) return this.#claimant.onOpen(stream);
        if (this.#state.type === 'unwanted') this.#close(stream);
        else {
          this.#state = { type: 'ready', stream };
          clock.defer(onSettled);
        }
        const lost = (): void => this.#onLost(stream);
        return { onData: lost, onDrain() {}, onEnd: lost, onClose: lost };
      },
      onError: (error) => {
        if (this.#claimant !== undefined) this.#claimant.onError(error);
        else if (this.#state.type !== 'connecting') this.#end();
        else {
          this.#state = { type: 'failed', error };
          clock.defer(onSettled);
        }
      },
    });
    this.#limit = clock.setTimeout(() => this.#expire(), timeout, 'background');
  }

  /** As the connector's own; the first time and for this address with what is there already, or about to be. */
  connect(target: TransportAddress, callbacks: ConnectCallbacks): Attempt {
    const state = this.#state;
    const isOver = state.type === 'over' || state.type === 'unwanted';
    if (isOver || formatAddress(target) !== this.#address) return this.#connector.connect(target, callbacks);
    this.#end();
    if (state.type === 'connecting') {
      this.#claimant = callbacks;
      return this.#attempt;
    }
    let wanted = true;
    if (state.type === 'ready') state.stream.handler = noHandler;
    // Never from within this call.
    this.#clock.defer(() => {
      if (!wanted) return;
      wanted = false;
      if (state.type === 'ready') state.stream.handler = callbacks.onOpen(state.stream);
      else callbacks.onError(state.error);
    });
    return {
      cancel() {
        if (wanted && state.type === 'ready') state.stream.destroy('reset');
        wanted = false;
      },
    };
  }

  get isReady(): boolean {
    return this.#state.type === 'ready';
  }

  /** Nobody wants it. Harmless when it was claimed. */
  drop(): void {
    const state = this.#state;
    // A connection that is closed without a byte is one of nameservice mode to an element; a reset is nothing.
    if (state.type === 'connecting') this.#state = { type: 'unwanted' };
    else if (state.type === 'ready') this.#close(state.stream);
    else if (state.type === 'failed') this.#end();
  }

  #expire(): void {
    if (this.#state.type === 'unwanted') {
      this.#attempt.cancel();
      this.#end();
      return;
    }
    const late = this.#state.type === 'connecting';
    this.drop();
    // Whoever takes so long to answer is most likely not there; if it is, it is reset when it does.
    if (late) this.#limit = this.#clock.setTimeout(() => this.#expire(), patience * this.#timeout, 'background');
  }

  /** It says something, which no element does before its user, or is gone. */
  #onLost(stream: ByteStream): void {
    if (this.#state.type === 'ready') this.#close(stream);
  }

  #close(stream: ByteStream): void {
    this.#end();
    stream.handler = noHandler;
    stream.destroy('reset');
  }

  #end(): void {
    this.#limit.cancel();
    this.#state = { type: 'over' };
  }
}
