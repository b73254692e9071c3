/**
 * The last word of a user that leaves while its connection is broken: it comes back to the element only to say that nobody
 * comes back. In the background, for as long as it would have tried to resume the session.
 */

import type { Clock } from '../../clock.js';
import type { OwnHello } from './hello.js';
import { Link, type LinkOwner } from './link.js';
import type { TcpMappingOptions } from './options.js';
import { type Reconnect, Reconnecting } from './reconnecting.js';

/** What is said. */
export interface LastWord {
  readonly code: number;
  readonly reason: string;
}

/** `hello`: that of a user that resumes its session. */
export function sayFarewell(
  clock: Clock,
  options: TcpMappingOptions,
  reconnect: Reconnect,
  hello: (stamp: number) => OwnHello,
  { code, reason }: LastWord,
): void {
  let link: Link | undefined;
  const over = (): void => {
    reconnecting.stop();
    link?.drop();
  };
  const again = (): void => {
    link?.drop();
    reconnecting.tryAgain();
  };
  const nothing = (): void => {};
  const owner: LinkOwner = {
    onHello(heard) {
      reconnecting.stop();
      heard.abort(code, reason);
    },
    onLost: again,
    onSilent: again,
    // Whatever it says, it has no session that it could go on with.
    onAborted: over,
    onFault: over,
    onMessageFrame: nothing,
    onShutdown: nothing,
    onControl: nothing,
    onAcknowledgement: nothing,
    onCredit: nothing,
    onHeartbeat: nothing,
    onGoElsewhere: nothing,
    onRead: nothing,
    onFlush: nothing,
  };
  const reconnecting = new Reconnecting(clock, reconnect, options.reconnectTimeout, false, {
    onStream(stream) {
      stream.unref();
      link = new Link(stream, clock, options, options.failureTimeout, owner);
      link.sayHello(hello(link.heartbeats.stamp));
      return link;
    },
    onGaveUp: over,
  });
}
