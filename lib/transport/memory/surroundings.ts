/** What the simulated processes and streams need of the network that they live in. */

import type { Random } from '../../random.js';
import type { ByteStreamTransport } from '../transport.js';
import type { VirtualTime } from './virtual-time.js';

/** What travels. */
export type Segment =
  | { readonly type: 'syn' }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'fin' }
  | { readonly type: 'rst' };

/** One direction of the way between two machines. */
export interface Link {
  /** Milliseconds one way. */
  latency: number;
  /** Bytes a millisecond. */
  bandwidth: number;
  /** Nothing passes; what is sent waits, as TCP retransmits it after the link is joined again. */
  cut: boolean;
}

export interface Surroundings {
  readonly time: VirtualTime;
  readonly random: Random;
  /** Bytes a socket's receive buffer holds. */
  readonly receiveBuffer: number;
  /** Whether what is delivered is cut at random places. */
  readonly fragment: boolean;
  link(from: string, to: string): Link;
  /** Runs `send` now, or when the link is joined again. */
  whenJoined(link: Link, send: () => void): void;
  /** How much later than it should a segment is to arrive (ms). */
  lossDelay(from: string, to: string, segment: Segment): number;
  /** The process with this transport is gone: so are the ports that it listened on. */
  closePortsOf(transport: ByteStreamTransport): void;
}
