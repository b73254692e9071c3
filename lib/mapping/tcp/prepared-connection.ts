/**
 * A connection that is made ready before it is known to be needed: to the next element, while the one that has the session is
 * tried once more. That element says hello and stands by; it begins a session when it is needed, and not before.
 *
 *   connecting --byte stream open--> greeting --both hellos--> ready --claimed, dropped--> over
 *   connecting --claimed, dropped--> over
 *   greeting --claimed--> over: the claimant is told what comes of it
 *   greeting, ready --lost at all addresses--> failed --claimed, dropped--> over
 */

import type { Clock } from '../../clock.js';
import type { Attempt, TransportAddress } from '../../transport/transport.js';
import { ConnectedAhead, type Connector } from './connected-ahead.js';
import type { DialCallbacks } from './dial.js';
import type { StandBy } from './opening.js';

/** As `dialTcpMapping`; with `standBy`, the element shall stand by. */
export type Dial = (connector: Connector, callbacks: DialCallbacks, standBy?: StandBy) => Attempt;

export interface PreparedCallbacks {
  /** The byte stream is open, and nobody has claimed it. */
  onReached(): void;
  /** The element could not be reached, or was lost, before anybody claimed it. */
  onFailed(): void;
}

type State =
  | { readonly type: 'connecting' }
  | { readonly type: 'greeting'; readonly attempt: Attempt }
  | { readonly type: 'ready'; readonly attempt: Attempt; readonly begin: () => void }
  | { readonly type: 'failed'; readonly errors: readonly Error[] }
  | { readonly type: 'over' };

export class PreparedConnection {
  readonly #clock: Clock;
  readonly #dial: Dial;
  readonly #callbacks: PreparedCallbacks;
  readonly #ahead: ConnectedAhead;
  #state: State = { type: 'connecting' };
  #claimant: DialCallbacks | undefined;

  /** Begins to connect to `address`, the first that `dial` will try; `timeout` in ms is for the byte stream. */
  constructor(
    connector: Connector,
    clock: Clock,
    address: TransportAddress,
    timeout: number,
    dial: Dial,
    callbacks: PreparedCallbacks,
  ) {
    this.#clock = clock;
    this.#dial = dial;
    this.#callbacks = callbacks;
    this.#ahead = new ConnectedAhead(connector, clock, address, timeout, () => this.#greet());
  }

  /** The element has been said hello, and stands by or is about to. */
  get isReached(): boolean {
    return this.#state.type === 'greeting' || this.#state.type === 'ready';
  }

  /** The element is needed: it begins, as soon as it can. Once. */
  claim(callbacks: DialCallbacks): Attempt {
    const state = this.#state;
    this.#state = { type: 'over' };
    if (state.type === 'connecting' || state.type === 'over') return this.#dial(this.#ahead, callbacks);
    this.#claimant = callbacks;
    let wanted = true;
    // Never from within this call.
    if (state.type !== 'greeting') {
      this.#clock.defer(() => {
        if (!wanted) return;
        if (state.type === 'ready') state.begin();
        else callbacks.onFailed(state.errors);
      });
    }
    return {
      cancel() {
        wanted = false;
        if (state.type !== 'failed') state.attempt.cancel();
      },
    };
  }

  /** Nobody needs it. Harmless when it was claimed. */
  drop(): void {
    const state = this.#state;
    this.#state = { type: 'over' };
    if (state.type === 'connecting') this.#ahead.drop();
    else if (state.type === 'greeting' || state.type === 'ready') state.attempt.cancel();
  }

  #greet(): void {
    if (this.#state.type !== 'connecting') return;
    const isReached = this.#ahead.isReady;
    const callbacks: DialCallbacks = {
      onOpen: (connection, peer) => (this.#claimant as DialCallbacks).onOpen(connection, peer),
      onFailed: (errors) => {
        if (this.#claimant !== undefined) this.#claimant.onFailed(errors);
        else {
          this.#state = { type: 'failed', errors };
          this.#callbacks.onFailed();
        }
      },
    };
    const attempt = this.#dial(this.#ahead, callbacks, (begin) => {
      if (this.#claimant !== undefined) begin();
      else if (this.#state.type === 'over') attempt.cancel();
      else this.#state = { type: 'ready', attempt, begin };
    });
    this.#state = { type: 'greeting', attempt };
    // The element may have other addresses.
    if (isReached) this.#callbacks.onReached();
  }
}
