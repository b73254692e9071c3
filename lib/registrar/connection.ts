/** One ASAP connection of a registrar: an element's, a user's, or one that the registrar dialled to probe. */

import type { AsapChannel } from '../asap/asapChannel.js';
import type { TransportAddress } from '../transport/transport.js';
import type { AsapMessage } from '../wire/messages.js';
import type { PoolHandle } from '../wire/parameters.js';
import { connectionHost } from './elementAddresses.js';
import type { ServedElement } from './servedElement.js';

export class RegistrarConnection {
  readonly channel: AsapChannel;
  /** The elements that registered over it. */
  readonly elements: Set<ServedElement> = new Set();
  /** The pools that it subscribed to, with how many elements it wants (0: no preference). */
  readonly subscriptions: Map<PoolHandle, number> = new Map();

  constructor(channel: AsapChannel) {
    this.channel = channel;
  }

  get remoteAddress(): TransportAddress {
    return this.channel.remoteAddress;
  }

  /** The far side's IP address, as registrations write it. */
  get host(): string {
    return connectionHost(this.channel.remoteAddress);
  }

  send(message: AsapMessage): void {
    this.channel.send(message);
  }
}
