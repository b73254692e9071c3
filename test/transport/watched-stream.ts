import type {
  ByteStream,
  ByteStreamHandler,
  ByteStreamTransport,
  Listener,
  TransportAddress,
} from '../../lib/transport/transport.js';

/** A handler of a stream that records what it is told, and how the promises of `ByteStreamHandler` were broken. */
export class WatchedStream implements ByteStreamHandler {
  readonly stream: ByteStream;
  /** 'data', 'drain', 'end', 'close', in order; equal neighbours once. */
  readonly events: string[] = [];
  readonly violations: string[] = [];
  readonly chunks: Uint8Array[] = [];
  receivedBytes = 0;
  closes = 0;
  error: NodeJS.ErrnoException | undefined;
  /** Called after each event is recorded. */
  onEvent: (event: string) => void = () => {};
  #calls = 0;
  #handling = false;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Everything received, in one. */
  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.received.toString();
  }

  write(...chunks: (string | Uint8Array)[]): boolean {
    return this.#call(() =>
      this.stream.write(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))),
    );
  }

  end(): void {
    this.#call(() => this.stream.end());
  }

  destroy(reset?: 'reset'): void {
    this.#call(() => this.stream.destroy(reset));
  }

  pause(): void {
    this.#call(() => this.stream.pause());
  }

  resume(): void {
    this.#call(() => this.stream.resume());
  }

  /** Resolves when the condition holds, at once or after one of the next events. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  closed(): Promise<void> {
    return this.until(() => this.closes > 0);
  }

  onData(chunk: Uint8Array): void {
    this.#handle('data', () => {
      this.chunks.push(chunk);
      this.receivedBytes += chunk.length;
    });
  }

  onDrain(): void {
    this.#handle('drain', () => {});
  }

  onEnd(): void {
    this.#handle('end', () => {});
  }

  onClose(error: Error | undefined): void {
    this.#handle('close', () => {
      this.closes++;
      this.error = error;
    });
  }

  #call<T>(run: () => T): T {
    this.#calls++;
    try {
      return run();
    } finally {
      this.#calls--;
    }
  }

  #handle(event: string, record: () => void): void {
    if (this.#calls > 0) this.violations.push(`${event} from within a call`);
    if (this.#handling) this.violations.push(`${event} within another event`);
    if (this.closes > 0) this.violations.push(`${event} after close`);
    if (event === 'data' && this.events.includes('end')) this.violations.push('data after end');
    this.#handling = true;
    record();
    if (this.events.at(-1) !== event) this.events.push(event);
    this.onEvent(event);
    this.#handling = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.condition()) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }
}

/** A port, and what connected to it. */
export interface OpenPort {
  readonly listener: Listener;
  readonly address: TransportAddress;
  readonly accepted: WatchedStream[];
  /** Resolves with the `count`th connection (from 1). */
  connection(count: number): Promise<WatchedStream>;
}

export function listen(transport: ByteStreamTransport, at: TransportAddress): Promise<OpenPort> {
  return new Promise((resolve, reject) => {
    const accepted: WatchedStream[] = [];
    const waiting = new Map<number, (stream: WatchedStream) => void>();
    const listener = transport.listen(at, {
      onListening: (address) =>
        resolve({
          listener,
          address,
          accepted,
          connection: (count) => {
            const stream = accepted[count - 1];
            return stream === undefined ? new Promise((found) => waiting.set(count, found)) : Promise.resolve(stream);
          },
        }),
      onConnection: (stream) => {
        const watched = new WatchedStream(stream);
        accepted.push(watched);
        waiting.get(accepted.length)?.(watched);
        return watched;
      },
      onError: reject,
    });
  });
}

export function connect(transport: ByteStreamTransport, target: TransportAddress): Promise<WatchedStream> {
  return new Promise((resolve, reject) => {
    transport.connect(target, {
      onOpen: (stream) => {
        const watched = new WatchedStream(stream);
        resolve(watched);
        return watched;
      },
      onError: reject,
    });
  });
}
