/**
 * What goes on inside, for those who watch: each event is a `node:diagnostics_channel` channel named
 * `rserpool:ROOM:EVENT` that publishes one plain object, and `DEBUG=rserpool:ROOM` prints the same events. Where nobody
 * listens an event costs one property read: callers ask `watched` before they build the facts.
 */

import { type Channel, channel } from 'node:diagnostics_channel';
import createDebug from 'debug';

/** The rooms of this library that publish events. */
export type DiagnosticRoom = 'asap' | 'enrp' | 'registrar' | 'session' | 'net' | 'gateway' | 'transport';

/** One kind of event. `Facts` is what its subscribers get. */
export interface DiagnosticEvent<Facts extends object> {
  /** The name of the channel: `rserpool:ROOM:EVENT`. */
  readonly name: string;
  /** Whether anybody listens: ask before building expensive facts. */
  readonly watched: boolean;
  /** Hands the facts to all subscribers at once, before it returns. Does nothing when nobody listens. */
  publish(facts: Facts): void;
}

class ChannelEvent<Facts extends object> implements DiagnosticEvent<Facts> {
  readonly name: string;
  readonly #channel: Channel;

  constructor(room: DiagnosticRoom, event: string) {
    this.name = `rserpool:${room}:${event}`;
    this.#channel = channel(this.name);
    const print = createDebug(`rserpool:${room}`);
    // Decided once, as the process starts (DEBUG): a subscriber per event would otherwise cost all of them.
    if (print.enabled) this.#channel.subscribe((facts) => print('%s %O', event, facts));
  }

  get watched(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(facts: Facts): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(facts);
  }
}

/** Declares an event; once for each name, at the top of the file that publishes it. */
export function diagnosticEvent<Facts extends object>(room: DiagnosticRoom, event: string): DiagnosticEvent<Facts> {
  return new ChannelEvent<Facts>(room, event);
}
