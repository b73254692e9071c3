import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { type TcpMappingOptions, tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { PeerProcesses } from '../../lib/mapping/tcp/peer-processes.js';
import { seededRandom } from '../../lib/random.js';
import type { MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { elementAddress, elementPort, elementSide, Owner, Scene, userAddress, userSide } from './pair.js';

export interface CrowdOptions {
  readonly network?: MemoryNetworkOptions;
  readonly user?: Partial<TcpMappingOptions>;
  readonly element?: Partial<TcpMappingOptions>;
  /** Which processes share their heartbeats. Default: both. */
  readonly sharing?: 'both' | 'user' | 'element' | 'none';
}

/** One connection of a crowd. */
export interface CrowdMember {
  readonly user: Owner;
  readonly element: Owner;
  /** The user's end of its byte stream. */
  readonly stream: MemoryStream;
}

/** Many connections between one user's process and one element's, some of them with timers of their own. */
export class Crowd extends Scene {
  readonly members: CrowdMember[] = [];
  /** Segments with bytes that the user's machine has sent. */
  sent = 0;
  readonly #options: CrowdOptions;
  readonly #userProcesses: PeerProcesses | undefined;
  readonly #elementProcesses: PeerProcesses | undefined;

  constructor(count: number, options: CrowdOptions = {}) {
    super(options.network);
    this.#options = options;
    const { sharing = 'both' } = options;
    const known = (side: 'user' | 'element', process: MemoryProcess, seed: number): PeerProcesses | undefined =>
      sharing === 'both' || sharing === side ? new PeerProcesses(process.clock, seededRandom(seed)) : undefined;
    this.#userProcesses = known('user', this.userProcess, 11);
    this.#elementProcesses = known('element', this.elementProcess, 12);
    this.network.intercept = (from, _to, segment) => {
      if (from === userAddress && segment.type === 'data') this.sent++;
      return 'deliver';
    };
    for (let i = 0; i < count; i++) this.connect();
    this.run(20);
  }

  /** One more connection; its hellos are on the way. */
  connect(user: Partial<TcpMappingOptions> = {}): CrowdMember {
    const number = this.members.length;
    const sessionId = Uint8Array.from({ length: 16 }, (_, i) => (i < 2 ? number >> (8 * i) : 7));
    const ends: Owner[] = [];
    let stream: MemoryStream | undefined;
    const processesOf = (own: PeerProcesses | undefined) => (own === undefined ? {} : { processes: own });
    const listener = this.elementProcess.transport.listen(
      { host: elementAddress, port: elementPort },
      {
        onListening() {},
        onError() {},
        onConnection: (accepted) => {
          const side = { ...elementSide, ...processesOf(this.#elementProcesses) };
          const options = tcpMappingOptions(this.#options.element);
          const connection = new TcpMappingConnection(accepted, this.elementProcess.clock, options, side);
          ends[1] = new Owner(connection);
          return connection.streamHandler;
        },
      },
    );
    this.run(0);
    this.userProcess.transport.connect(
      { host: elementAddress, port: elementPort },
      {
        onError() {},
        onOpen: (opened) => {
          stream = opened as MemoryStream;
          const side = { ...userSide, sessionId, ...processesOf(this.#userProcesses) };
          const options = tcpMappingOptions({ ...this.#options.user, ...user });
          const connection = new TcpMappingConnection(opened, this.userProcess.clock, options, side);
          ends[0] = new Owner(connection);
          return connection.streamHandler;
        },
      },
    );
    this.run(2 * this.network.link(userAddress, elementAddress).latency);
    listener.close();
    const [userEnd, elementEnd] = ends;
    if (userEnd === undefined || elementEnd === undefined || stream === undefined) throw new Error('not connected');
    const member = { user: userEnd, element: elementEnd, stream };
    this.members.push(member);
    return member;
  }

  /** Those whose connections have ended at that side. */
  ended(side: 'user' | 'element'): CrowdMember[] {
    return this.members.filter((member) => member[side].closes > 0);
  }

  /** Lets time pass until all (or so many) have ended at that side; returns how long that took. */
  untilEnded(side: 'user' | 'element', count: number = this.members.length, limit = 600_000): number {
    const since = this.network.time.now;
    while (this.ended(side).length < count) {
      if (this.network.time.now - since > limit) throw new Error(`${this.ended(side).length} of ${count} ended`);
      this.run(10);
    }
    return this.network.time.now - since;
  }
}
