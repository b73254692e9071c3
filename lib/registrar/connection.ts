/** One ASAP connection of a registrar, an element's or a user's, and the elements that came over it. */

import type { AsapChannel } from '../asap/asap-channel.js';
import type { Timer } from '../clock.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { TransportAddress } from '../transport/transport.js';
import type { AsapMessage } from '../wire/messages.js';
import type { PoolHandle } from '../wire/parameters.js';
import { connectionHost, machineOf } from './element-addresses.js';
import { ElementList, type ListedElement } from './element-list.js';

export class RegistrarConnection {
  readonly channel: AsapChannel;
  /** The far side's IP address, as registrations write it. */
  readonly host: string;
  /** That and those which its SCTP has told to be its own. */
  readonly hosts: readonly string[];
  /** What counts as one machine with it: see machineOf. */
  readonly machine: string;
  /** Runs until the first message has come. */
  silence: Timer | undefined;
  /** The elements that registered over it. */
  readonly elements: ElementList<ServedElement> = new ElementList();
  /** The pools that it subscribed to, and how it wants them answered. */
  readonly subscriptions: Map<PoolHandle, Subscription> = new Map();

  /** Later connections have larger ones. */
  readonly sequence: number;

  /** Whether it may register, deregister and report. */
  readonly trusted: boolean;

  constructor(channel: AsapChannel, sequence: number, remoteHosts: readonly string[] = [], trusted: boolean = true) {
    this.trusted = trusted;
    this.channel = channel;
    this.sequence = sequence;
    this.host = connectionHost(channel.remoteAddress);
    this.hosts = [this.host, ...remoteHosts];
    this.machine = machineOf(this.host);
  }

  get remoteAddress(): TransportAddress {
    return this.channel.remoteAddress;
  }

  send(message: AsapMessage): void {
    this.channel.send(message);
  }
}

export interface Subscription {
  /** How many elements an answer holds at most. */
  readonly wanted: number;
  /** For the pool's policy. */
  readonly hint: Uint8Array | undefined;
}

/** idle: until the next keep-alive is due. probing: one is unanswered. stopped: removed. */
export type WatchState = 'idle' | 'probing' | 'stopped';

export interface ServedElement extends ListedElement {
  readonly entry: HandlespaceEntry;
  /** The connection that it registered over, while that is open. */
  connection: RegistrarConnection | undefined;
  watch: WatchState;
  /** When idle, its place among those that wait for their next keep-alive; otherwise -1. */
  duePlace: number;
  /** When probing, what is under way; there may be a million elements, and few are probed at a time. */
  probe: Probe | undefined;
  /** When it acknowledged last, in whole milliseconds: they take less memory. */
  heardAt: number;
}

/** A keep-alive that is unanswered. */
export interface Probe {
  /** Until it has failed. */
  timer: Timer;
  /** Ends a probe over a connection of its own. */
  hangUp: (() => void) | undefined;
}
