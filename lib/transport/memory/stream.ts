/** One end of a simulated TCP connection: the part that the system keeps, and the part that the process holds. */

import type { Clock } from '../../clock.js';
import { type ByteStream, type ByteStreamHandler, noHandler, type TransportAddress } from '../transport.js';
import type { Link, Segment, Surroundings } from './surroundings.js';

/** The process that holds an end, as far as the stream needs it. */
export interface StreamOwner {
  readonly clock: Clock;
  readonly network: Surroundings;
  readonly streams: Set<MemoryStream>;
  dispatch(kind: 'timer' | 'input', run: () => void): void;
}

/** More than this waiting to be sent makes `write` return false, as Node's default does. */
const writeHighWaterMark = 64 * 1024;

function resetError(call: 'read' | 'write'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call} ECONNRESET`), { code: 'ECONNRESET', syscall: call });
}

export class MemoryStream implements ByteStream {
  readonly process: StreamOwner;
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  /** The way to the far side. */
  readonly #link: Link;
  handler: ByteStreamHandler = noHandler;
  #peer: MemoryStream | undefined;
  /** 'open': the process holds it. 'orphan': the process is gone, the system sends what is left. 'closed': no more. */
  #state: 'opening' | 'open' | 'orphan' | 'closed' = 'opening';
  #endSent = false;
  #endReceived = false;
  #reset = false;
  /** What is on the way to it is lost. */
  #deaf = false;
  /** Nothing gets to it any more, and nobody tells. */
  #forgotten = false;
  #paused = false;
  #deliveryScheduled = false;
  #needDrain = false;
  /** Arrived, not yet read by the process. */
  #inbound: Segment[] = [];
  /** Waiting for room in the far side's receive buffer. */
  #outbound: Segment[] = [];
  #outboundBytes = 0;
  /** Sent and not yet read by the far process. */
  #unread = 0;
  /** No segment may overtake an earlier one. */
  #lastArrival = 0;

  constructor(process: StreamOwner, localAddress: TransportAddress, remoteAddress: TransportAddress) {
    this.process = process;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#link = process.network.link(localAddress.host, remoteAddress.host);
    process.streams.add(this);
  }

  join(peer: MemoryStream): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  /** Hands the stream to its process. */
  open(opener: (stream: ByteStream) => ByteStreamHandler): void {
    this.process.dispatch('input', () => {
      if (this.#state !== 'opening') return;
      this.#state = 'open';
      this.handler = opener(this);
      this.#scheduleDelivery();
    });
  }

  get bufferedBytes(): number {
    return this.#outboundBytes;
  }

  /** Whether a reset is on its way to an end of it. */
  get isSevered(): boolean {
    return this.#reset || (this.#peer as MemoryStream).#reset;
  }

  /** Whether something on the way has forgotten it. */
  get isForgotten(): boolean {
    return this.#forgotten;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open' || this.#endSent) return true;
    for (const bytes of chunks) {
      if (bytes.length === 0) continue;
      this.#outbound.push({ type: 'data', bytes });
      this.#outboundBytes += bytes.length;
    }
    this.#transmit();
    // A paused stream that was reset learns of it when it writes.
    if (this.#inbound.at(-1)?.type === 'rst') {
      this.#close(resetError('write'));
      return true;
    }
    if (this.#outboundBytes <= writeHighWaterMark) return true;
    this.#needDrain = true;
    return false;
  }

  end(): void {
    if (this.#state !== 'open' || this.#endSent) return;
    this.#endSent = true;
    this.#outbound.push({ type: 'fin' });
    this.#transmit();
  }

  destroy(reset?: 'reset'): void {
    if (this.#state !== 'open') return;
    // Linux answers with RST when unread data is thrown away.
    if (reset !== undefined || this.#inbound.length > 0) this.#sendReset();
    else this.#abandonOutbound();
    this.#close(undefined);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.process.clock.nextTurn(() => this.#scheduleDelivery());
  }

  /** Whether it would keep its process alive. */
  isReferenced = true;

  ref(): void {
    this.isReferenced = true;
  }

  unref(): void {
    this.isReferenced = false;
  }

  /**
   * Something on the way breaks the connection: both ends are reset, after what is on the way to them, or what is on the
   * way is lost.
   */
  sever(underway: 'arrives' | 'lost' = 'arrives'): void {
    const ends = [this, this.#peer as MemoryStream];
    // Where one end is gone already, the other one is to hear of that: it would hear of nothing else.
    if (ends.some((end) => end.#state !== 'open' || end.#reset)) return;
    for (const end of ends) {
      end.#deaf = underway === 'lost';
      end.#sendReset();
    }
  }

  /** Something on the way forgets the connection: nothing that either end sends arrives from now on, and nobody is told. */
  forget(): void {
    const ends = [this, this.#peer as MemoryStream];
    if (ends.some((end) => end.#state !== 'open' || end.#reset)) return;
    for (const end of ends) end.#forgotten = true;
  }

  /** The process is dead (or never wanted this): the system sends what it was handed, then closes. */
  orphan(): void {
    if (this.#state === 'closed' || this.#state === 'orphan') return;
    const unread = this.#inbound.some((segment) => segment.type === 'data');
    this.#state = 'orphan';
    this.process.streams.delete(this);
    this.#inbound = [];
    if (unread) this.#sendReset();
    else this.#abandonOutbound();
  }

  /** What the process had not handed to the system is lost; what the system has goes on, and the FIN after it. */
  #abandonOutbound(): void {
    const ended = this.#endSent && this.#outbound.length === 0;
    this.#endSent = true;
    this.#outbound = ended ? [] : [{ type: 'fin' }];
    this.#outboundBytes = 0;
    this.#transmit();
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.process.streams.delete(this);
    this.#inbound = [];
    this.process.clock.nextTurn(() => this.handler.onClose(error));
  }

  #sendReset(): void {
    this.#endSent = true;
    this.#reset = true;
    this.#outbound = [];
    this.#outboundBytes = 0;
    this.#send({ type: 'rst' });
  }

  /** Sends as much as the far receive buffer takes. */
  #transmit(): void {
    const window = this.process.network.receiveBuffer;
    let sent = 0;
    for (const segment of this.#outbound) {
      if (segment.type === 'data') {
        if (this.#unread >= window) break;
        this.#unread += segment.bytes.length;
        this.#outboundBytes -= segment.bytes.length;
      }
      this.#send(segment);
      sent++;
    }
    this.#outbound.splice(0, sent);
    this.#closeIfBothEnded();
    if (this.#needDrain && this.#outboundBytes === 0) {
      this.#needDrain = false;
      this.process.clock.nextTurn(() => this.#state === 'open' && this.handler.onDrain());
    }
  }

  #send(segment: Segment): void {
    const { network } = this.process;
    const peer = this.#peer as MemoryStream;
    const link = this.#link;
    network.whenJoined(link, () => {
      // A reset throws away what the system still holds, such as what waits behind a cut.
      if (this.#reset && segment.type !== 'rst') return;
      const loss = network.lossDelay(this.localAddress.host, this.remoteAddress.host, segment);
      const transmission = segment.type === 'data' ? segment.bytes.length / link.bandwidth : 0;
      const arrival = Math.max(network.time.now + link.latency + loss, this.#lastArrival) + transmission;
      this.#lastArrival = arrival;
      network.time.schedule(arrival - network.time.now, () => peer.#arrive(segment));
    });
  }

  #arrive(segment: Segment): void {
    if (this.#forgotten) return;
    if (this.#state === 'closed' || this.#state === 'orphan') {
      if (segment.type === 'data' && !this.#reset) this.#sendReset();
      return;
    }
    if (this.#deaf && segment.type !== 'rst') return;
    this.#inbound.push(segment);
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    if (this.#deliveryScheduled || this.#state !== 'open' || this.#inbound.length === 0) return;
    this.#deliveryScheduled = true;
    this.process.dispatch('input', () => {
      this.#deliveryScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    let read = 0;
    while (this.#state === 'open' && !this.#paused && this.#inbound.length > 0) {
      const segment = this.#inbound.shift() as Segment;
      if (segment.type === 'data') {
        read += this.#deliverData(segment.bytes);
      } else if (segment.type === 'fin') {
        this.#endReceived = true;
        this.handler.onEnd();
        this.#closeIfBothEnded();
      } else {
        this.#close(resetError('read'));
      }
    }
    if (read > 0) this.#opened(read);
  }

  /** Hands one segment's bytes on, whole or in pieces; returns how many before the handler paused or closed. */
  #deliverData(bytes: Uint8Array): number {
    const { network } = this.process;
    let offset = 0;
    while (network.fragment && bytes.length - offset > 1 && network.random.uniform() < 0.5) {
      const cut = offset + 1 + Math.floor(network.random.uniform() * (bytes.length - offset - 1));
      this.handler.onData(bytes.subarray(offset, cut));
      offset = cut;
      if (this.#state !== 'open') return offset;
      if (this.#paused) {
        this.#inbound.unshift({ type: 'data', bytes: bytes.subarray(offset) });
        return offset;
      }
    }
    this.handler.onData(offset === 0 ? bytes : bytes.subarray(offset));
    return bytes.length;
  }

  /** Tells the far side, one latency later, that its bytes were read. */
  #opened(bytes: number): void {
    const { network } = this.process;
    const peer = this.#peer as MemoryStream;
    const link = this.#link;
    network.whenJoined(link, () => {
      const update = (): void => {
        peer.#unread -= bytes;
        if (peer.#outbound.length > 0 && !peer.#reset) peer.#transmit();
      };
      // Only a sender that waits, or may come to wait, needs the update at its own instant.
      if (peer.#outbound.length > 0 || peer.#unread > network.receiveBuffer / 2)
        network.time.schedule(link.latency, update);
      else update();
    });
  }

  #closeIfBothEnded(): void {
    if (this.#endSent && this.#outbound.length === 0 && this.#endReceived && this.#state === 'open')
      this.#close(undefined);
  }
}
