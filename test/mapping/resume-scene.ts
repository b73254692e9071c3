import type { MappingConnection } from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { dialTcpMapping } from '../../lib/mapping/tcp/dial.js';
import { type TcpMappingOptions, tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { ResumableSessions } from '../../lib/mapping/tcp/resumable-sessions.js';
import type { MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import type { Listener } from '../../lib/transport/transport.js';
import { elementAddress, elementPort, elementSide, Owner, Scene, userSide } from './pair.js';

export interface ResumeSceneOptions {
  readonly network?: MemoryNetworkOptions;
  readonly user?: Partial<TcpMappingOptions>;
  readonly element?: Partial<TcpMappingOptions>;
}

/** An element that keeps its sessions, at its port, and users that dial it. */
export class ResumeScene extends Scene {
  readonly sessions: ResumableSessions;
  /** One for each byte stream that was accepted, oldest first; those of resumed sessions are never told of an opening. */
  readonly accepted: Owner[] = [];
  readonly listener: Listener;
  readonly #options: ResumeSceneOptions;

  constructor(options: ResumeSceneOptions = {}) {
    super(options.network);
    this.#options = options;
    const mapping = tcpMappingOptions(options.element);
    const { clock, transport } = this.elementProcess;
    this.sessions = new ResumableSessions(clock, mapping);
    this.listener = transport.listen(
      { host: elementAddress, port: elementPort },
      {
        onListening() {},
        onError() {},
        onConnection: (stream) => {
          const side = { ...elementSide, sessions: this.sessions };
          const connection = new TcpMappingConnection(stream, clock, mapping, side);
          this.accepted.push(new Owner(connection));
          return connection.streamHandler;
        },
      },
    );
    this.run(0);
  }

  /** A user whose session is open. */
  dial(sessionId: Uint8Array = userSide.sessionId): Owner {
    const { clock, transport } = this.userProcess;
    const options = tcpMappingOptions(this.#options.user);
    const address = { host: elementAddress, port: elementPort };
    let user: Owner | undefined;
    dialTcpMapping(
      transport,
      clock,
      options,
      [address],
      { ...userSide, sessionId },
      {
        onOpen: (connection: MappingConnection, peer) => {
          user = new Owner(connection);
          user.onOpen(peer);
          return user;
        },
        onFailed: (errors) => {
          throw errors[0];
        },
      },
    );
    this.run(20);
    if (user === undefined) throw new Error('not open');
    return user;
  }

  /** Breaks every connection of the user's machine: both ends are reset. */
  sever(underway: 'arrives' | 'lost' = 'arrives'): void {
    for (const stream of this.userProcess.streams) (stream as MemoryStream).sever(underway);
  }

  /** The streams that are open at the user. */
  get userStreams(): readonly MemoryStream[] {
    return [...this.userProcess.streams] as MemoryStream[];
  }
}
