/**
 * The initiating side of a handle table (RFC 5353 sections 3.2.3 and 3.6.3): asks for part after part. It belongs to
 * one connection: a peer that leaves a request unanswered loses it, so that an answer that comes late can never be
 * taken for the beginning of another table.
 */

import type { Clock, Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { HandleTableResponse } from '../wire/messages.js';
import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import type { EnrpChannel } from './enrp-channel.js';

/** Why a download came to nothing. closed: the connection did. endless: it lists more than a server may own, or takes for ever. */
export type DownloadFailure = 'rejected' | 'noResponse' | 'closed' | 'endless';

export interface TableDownloadOptions {
  readonly clock: Clock;
  readonly channel: EnrpChannel;
  readonly serverId: number;
  /** Who is asked. */
  readonly peerId: number;
  /** The W flag. */
  readonly ownChildrenOnly: boolean;
  /** MAX-TIME-NO-RESPONSE, for each part. */
  readonly timeout: number;
  /** For all of them. */
  readonly maxTime: number;
  /** Elements that the table may list, repetitions counted. */
  readonly maxElements: number;
  onElement(poolHandle: PoolHandle, element: PoolElement): void;
  /** The last part has been taken over. */
  onDone(): void;
  onFailed(failure: DownloadFailure): void;
}

export class TableDownload {
  readonly #options: TableDownloadOptions;
  #timer: Timer | undefined;
  readonly #timeout: Timer;
  #elements = 0;
  #state: 'waiting' | 'ended' = 'waiting';

  /** Sends the first request. */
  constructor(options: TableDownloadOptions) {
    this.#options = options;
    this.#timeout = options.clock.setTimeout(() => this.#breakOff('endless'), options.maxTime, 'background');
    this.#request();
  }

  onResponse(response: HandleTableResponse): void {
    if (this.#state === 'ended') return;
    this.#timer?.cancel();
    if (response.rejected) {
      this.#fail('rejected');
      return;
    }
    for (const { poolHandle, poolElements } of response.poolEntries) {
      for (const element of poolElements) {
        if (++this.#elements > this.#options.maxElements) {
          this.#breakOff('endless');
          return;
        }
        this.#options.onElement(poolHandle, element);
      }
    }
    if (!response.moreToSend) {
      this.cancel();
      this.#options.onDone();
      return;
    }
    // More to come, and nothing in it: that may go on for ever.
    if (response.poolEntries.length === 0) this.#breakOff('endless');
    else this.#request();
  }

  /** The connection closed. */
  onClosed(): void {
    this.#fail('closed');
  }

  /** Gives up without a word to anybody. */
  cancel(): void {
    this.#state = 'ended';
    this.#timer?.cancel();
    this.#timeout.cancel();
  }

  #request(): void {
    const { clock, channel, serverId, peerId, ownChildrenOnly, timeout } = this.#options;
    this.#timer = clock.setTimeout(() => this.#breakOff('noResponse'), timeout, 'background');
    channel.send({ type: 'handleTableRequest', senderId: serverId, receiverId: peerId, ownChildrenOnly });
  }

  #breakOff(failure: 'noResponse' | 'endless'): void {
    const detail = failure === 'endless' ? 'a handle table without end' : 'no handle table';
    const code = failure === 'endless' ? 'ERR_RSERPOOL_LIMIT' : 'ERR_RSERPOOL_REQUEST_TIMEOUT';
    this.#fail(failure);
    this.#options.channel.abort(new RserpoolError(code, { detail, origin: 'remote' }));
  }

  #fail(failure: DownloadFailure): void {
    if (this.#state === 'ended') return;
    this.cancel();
    this.#options.onFailed(failure);
  }
}
