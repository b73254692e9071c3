/** What a `Pool` and its calls take, and what becomes of it. */

import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
} from '../arguments.js';
import type { Handled, Message, SendOptions } from '../session/message.js';
import type { TransportAddress } from '../transport/transport.js';
import {
  checkDeliveryOptions,
  checkSendOptions,
  type ElementInfo,
  type MappingOptions,
  type PoolConnectOptions,
} from './options.js';
import { checkRequestOptions, type RequestOptions } from './request.js';

type SessionOptionNames =
  | 'scope'
  | 'connectTimeout'
  | 'failoverTimeout'
  | 'handOverTimeout'
  | 'maxFailovers'
  | 'maxRounds'
  | 'lingerTimeout'
  | 'server'
  | 'mapping';

/** As of `connect`, for each of the pool's sessions. Times in milliseconds. */
export interface PoolOptions extends MappingOptions, Pick<PoolConnectOptions, SessionOptionNames> {
  /**
   * Gets what elements send that is no answer to a request, and who sent it (RFC 5352 section 6.6). Without it, that
   * is acknowledged and dropped.
   */
  readonly onMessage?: (message: Message, from: ElementInfo) => Handled;
  /** As of `connect`. Default: 'auto'. */
  readonly acknowledge?: 'auto' | 'manual';
}

/** Where a message goes (RFC 5352 sections 6.5.1 to 6.5.5). */
export interface Destination {
  /**
   * 'one': the policy's choice. 'last': where the message before went, or the policy's choice if there was none.
   * 'all': a copy to each element. Default: 'one'.
   */
  readonly to?: 'one' | 'last' | 'all';
  /** With 'all': also to elements of the pool that are of this scope. Default: false. */
  readonly self?: boolean;
  /** To this element: a PE identifier (section 6.5.3). */
  readonly element?: number;
  /** To the element that is reached at this IP address and port (section 6.5.4). */
  readonly address?: TransportAddress;
}

/**
 * `failover` as of `Socket.send`: default true; for `element`, false; with 'all' and `address` it cannot be true, since
 * another element would have its copy twice.
 */
export interface PoolSendOptions extends SendOptions, Destination {}

export interface PoolRequestOptions extends RequestOptions, Destination {
  readonly to?: 'one' | 'last';
}

/** Where a message goes, checked. */
export type Target =
  | { readonly type: 'one' | 'last' }
  | { readonly type: 'all'; readonly self: boolean }
  | { readonly type: 'element'; readonly identifier: number }
  | { readonly type: 'address'; readonly address: TransportAddress };

/** Throws Node's argument errors. */
export function checkPoolOptions(options: PoolOptions): void {
  checkObject('options', options);
  const { onMessage, acknowledge } = options;
  if (onMessage !== undefined) checkFunction('options.onMessage', onMessage);
  checkDeliveryOptions(acknowledge === undefined ? {} : { acknowledge });
}

/** Throws Node's argument errors. */
export function checkDestination(options: PoolSendOptions): { readonly target: Target; readonly failover: boolean } {
  checkSendOptions(options);
  const { to, self, element, address, failover } = options;
  if (to !== undefined && to !== 'one' && to !== 'last' && to !== 'all') {
    throw invalidArgumentValue('options.to', to, "must be one of: 'one', 'last', 'all'");
  }
  if (self !== undefined) checkBoolean('options.self', self);
  if (Number(to !== undefined) + Number(element !== undefined) + Number(address !== undefined) > 1) {
    throw invalidArgumentValue('options', options, "must have one of 'to', 'element' and 'address'");
  }
  if (failover === true && (to === 'all' || address !== undefined)) {
    throw invalidArgumentValue('options.failover', failover, 'cannot be true for all elements, or for an address');
  }
  if (to === 'all') return { target: { type: 'all', self: self ?? false }, failover: false };
  if (self !== undefined) throw invalidArgumentValue('options.self', self, "is for 'all'");
  if (element !== undefined) {
    const identifier = checkInteger('options.element', element, 1, 0xffffffff);
    return { target: { type: 'element', identifier }, failover: failover ?? false };
  }
  if (address !== undefined) {
    checkObject('options.address', address);
    checkString('options.address.host', address.host);
    checkPort('options.address.port', address.port, false);
    return { target: { type: 'address', address }, failover: false };
  }
  return { target: { type: to ?? 'one' }, failover: failover ?? true };
}

/** Throws Node's argument errors. */
export function checkRequestDestination(options: PoolRequestOptions): ReturnType<typeof checkDestination> {
  const destination = checkDestination(options);
  checkRequestOptions(options);
  if (destination.target.type !== 'all') return destination;
  throw invalidArgumentValue('options.to', options.to, "must be one of: 'one', 'last'");
}

/** The bytes of a message; throws Node's argument errors. */
export function checkData(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  throw invalidArgumentType('data', 'of type string or an instance of Buffer or Uint8Array', data);
}
