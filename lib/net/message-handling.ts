/** Gives messages to the application's handler (`onMessage`, or listeners of 'message') instead of the readable side. */

import { type Handled, handle, type Message } from '../session/message.js';
import type { DeliveryOptions } from './options.js';

/** What the handling needs of its socket. */
export interface MessageListeners {
  listenerCount(event: string): number;
  emit(event: string, ...args: unknown[]): boolean;
}

export class MessageHandling {
  readonly #options: DeliveryOptions;
  readonly #listeners: MessageListeners;
  readonly #onEnd: (end: Message) => void;
  readonly #onFailed: (error: unknown) => void;
  readonly #handler: (message: Message) => Handled;
  readonly #onTaken = (): void => {
    this.#pending--;
    this.#handOnEnd();
  };
  /** Messages that handlers have and that are not yet taken. */
  #pending = 0;
  #end: Message | undefined;

  constructor(
    options: DeliveryOptions,
    listeners: MessageListeners,
    callbacks: {
      /** The far side's end came, and handlers have taken all messages before it. */
      onEnd(end: Message): void;
      /** A handler threw or rejected. */
      onFailed(error: unknown): void;
    },
  ) {
    this.#options = options;
    this.#listeners = listeners;
    this.#onEnd = callbacks.onEnd;
    this.#onFailed = callbacks.onFailed;
    this.#handler = options.onMessage ?? ((message) => void listeners.emit('message', message));
  }

  /** Whether messages go to a handler. */
  get wanted(): boolean {
    return this.#options.onMessage !== undefined || this.#listeners.listenerCount('message') > 0;
  }

  handle(message: Message): void {
    this.#pending++;
    message.onceTaken(this.#onTaken);
    handle(message, this.#handler, this.#onFailed, this.#options.acknowledge);
  }

  /** The end waits for the handlers, so that their answers still leave where it ends our side too. */
  end(end: Message): void {
    this.#end = end;
    this.#handOnEnd();
  }

  /** Nobody waits for the handlers any more. */
  discard(): void {
    this.#end?.acknowledge();
    this.#end = undefined;
  }

  #handOnEnd(): void {
    const end = this.#end;
    if (end === undefined || this.#pending > 0) return;
    this.#end = undefined;
    this.#onEnd(end);
  }
}
