import type { RserpoolError } from '../../lib/errors.js';
import type {
  IncomingMessage,
  MappingConnection,
  MappingHandler,
  OutgoingMessage,
  PeerHello,
} from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import type { TcpMappingElement, TcpMappingSide, TcpMappingUser } from '../../lib/mapping/tcp/opening.js';
import { type TcpMappingOptions, tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { seededRandom } from '../../lib/random.js';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { ByteStream, ByteStreamHandler } from '../../lib/transport/transport.js';

export const userAddress = '10.0.0.1';
export const elementAddress = '10.0.0.2';
export const elementPort = 7000;
export const sessionId: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

export const userSide: TcpMappingUser = {
  role: 'user',
  sessionId,
  poolHandle: 'echo',
  peIdentifier: 0x1234,
  failedOver: false,
  cookieFollows: false,
};

export const elementSide: TcpMappingElement = {
  role: 'element',
  peIdentifier: 0x1234,
  isMeant: (poolHandle, peIdentifier) => poolHandle === 'echo' && peIdentifier === 0x1234,
};

/** The owner of a connection, who keeps what it is told. */
export class Owner implements MappingHandler {
  connection: MappingConnection;
  /** Whether to take each message as it comes. */
  taking = true;
  peer: PeerHello | undefined;
  readonly messages: IncomingMessage[] = [];
  readonly controls: Uint8Array[] = [];
  readonly events: string[] = [];
  acknowledged = 0;
  /** Sequences of the messages that were acknowledged before older ones. */
  readonly early: number[] = [];
  closes = 0;
  error: RserpoolError | undefined;
  onArrival: (message: IncomingMessage) => void = () => {};
  #next = 1;

  constructor(connection: MappingConnection) {
    this.connection = connection;
    connection.handler = this;
  }

  send(data: string | Uint8Array, extra: Partial<OutgoingMessage> = {}): boolean {
    const sequence = extra.sequence ?? this.#next;
    this.#next = sequence + 1;
    return this.connection.send({
      type: 'message',
      sequence,
      data: typeof data === 'string' ? Buffer.from(data) : data,
      streamId: 0,
      ppid: 0,
      inAnswerTo: 0,
      lastAnswer: false,
      redelivered: false,
      unordered: false,
      left: false,
      position: 0,
      ...extra,
    });
  }

  end(): void {
    this.send('', { type: 'end' });
  }

  /** The texts of the messages, 'END' for the end. */
  get texts(): string[] {
    return this.messages.map((message) => (message.type === 'end' ? 'END' : Buffer.from(message.data).toString()));
  }

  onOpen(peer: PeerHello): void {
    this.peer = peer;
    this.events.push('open');
  }

  onMessage(message: IncomingMessage): void {
    this.messages.push(message);
    this.events.push('message');
    if (this.taking) this.connection.take(message);
    this.onArrival(message);
  }

  onControl(message: Uint8Array): void {
    this.controls.push(message);
    this.events.push('control');
  }

  onAcknowledged(count: number): void {
    this.acknowledged += count;
    this.events.push(`acknowledged ${count}`);
  }

  onAcknowledgedEarly(message: OutgoingMessage): void {
    this.early.push(message.sequence);
    this.events.push(`acknowledged early ${message.sequence}`);
  }

  onResume(): void {
    this.events.push('resume');
  }

  onRoom(): void {
    this.events.push('room');
  }

  onGoElsewhere(): void {
    this.events.push('goElsewhere');
  }

  onClose(error: RserpoolError | undefined): void {
    this.closes++;
    this.error = error;
    this.events.push('close');
  }
}

/** A network with a user's machine and an element's. */
export class Scene {
  readonly network: MemoryNetwork;
  readonly userProcess: MemoryProcess;
  readonly elementProcess: MemoryProcess;

  constructor(options: MemoryNetworkOptions = {}) {
    this.network = new MemoryNetwork({ latency: 1, random: seededRandom(1), ...options });
    this.userProcess = this.network.spawn(userAddress);
    this.elementProcess = this.network.spawn(elementAddress);
  }

  /** Runs everything that falls due in the next `duration` ms. */
  run(duration: number): void {
    const { time } = this.network;
    const until = time.now + duration;
    while (time.step(until));
    while (time.now < until) {
      time.advanceTo(until);
      while (time.step(until));
    }
  }

  /** The two ends of a new byte stream, each given to its owner within its own process. */
  streams(user: (stream: ByteStream) => ByteStreamHandler, element: (stream: ByteStream) => ByteStreamHandler): void {
    const listener = this.elementProcess.transport.listen(
      { host: elementAddress, port: elementPort },
      { onListening() {}, onConnection: element, onError() {} },
    );
    this.run(0);
    this.userProcess.transport.connect({ host: elementAddress, port: elementPort }, { onOpen: user, onError() {} });
    const latency = this.network.link(userAddress, elementAddress).latency;
    this.run(latency + this.network.link(elementAddress, userAddress).latency);
    listener.close();
  }
}

export interface PairOptions {
  readonly network?: MemoryNetworkOptions;
  readonly user?: Partial<TcpMappingOptions>;
  readonly element?: Partial<TcpMappingOptions>;
  readonly userSide?: TcpMappingSide;
  readonly elementSide?: TcpMappingSide;
}

export interface Pair extends Scene {
  readonly user: Owner;
  readonly element: Owner;
}

/** A user and an element whose byte stream is open; their hellos are on the way. */
export function connect(options: PairOptions = {}): Pair {
  const scene = new Scene(options.network);
  let user: Owner | undefined;
  let element: Owner | undefined;
  scene.streams(
    (stream) => {
      const connection = new TcpMappingConnection(
        stream,
        scene.userProcess.clock,
        tcpMappingOptions(options.user),
        options.userSide ?? userSide,
      );
      user = new Owner(connection);
      return connection.streamHandler;
    },
    (stream) => {
      const connection = new TcpMappingConnection(
        stream,
        scene.elementProcess.clock,
        tcpMappingOptions(options.element),
        options.elementSide ?? elementSide,
      );
      element = new Owner(connection);
      return connection.streamHandler;
    },
  );
  if (user === undefined || element === undefined) throw new Error('not connected');
  return Object.assign(scene, { user, element });
}

/** The same, with both hellos said. */
export function open(options: PairOptions = {}): Pair {
  const pair = connect(options);
  pair.run(10);
  if (pair.user.peer === undefined || pair.element.peer === undefined) throw new Error('not open');
  return pair;
}
