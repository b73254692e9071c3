/** Registrars with peers, and peers that speak ENRP by script. */

import { type EnrpChannel, openEnrpChannel } from '../../lib/enrp/enrp-channel.js';
import type { EnrpOptions } from '../../lib/enrp/options.js';
import type { RegistrarOptions } from '../../lib/registrar/options.js';
import type { Registrar } from '../../lib/registrar/registrar.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { ByteStream } from '../../lib/transport/transport.js';
import type { EnrpMessage } from '../../lib/wire/messages.js';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { poolElement, type World } from '../asap/world.js';

export const emptyChecksum = 0xffff;

/** A registrar with identifier 100 x the last number of its address, unless told otherwise. */
export function registrar(
  world: World,
  address: string,
  enrp: EnrpOptions = {},
  options: RegistrarOptions = {},
): { registrar: Registrar; process: MemoryProcess } {
  const serverId = 100 * Number(address.split('.').at(-1));
  return world.registrar(address, { host: address, serverId, enrp: { host: address, ...enrp }, ...options });
}

/** What the handlespace holds, as 'pool/identifier@owner', sorted. */
export function contents({ handlespace }: Registrar): string[] {
  const all: string[] = [];
  for (const pool of handlespace.pools()) {
    for (const { identifier, owner } of pool.entries()) all.push(`${pool.poolHandle}/${identifier}@${owner}`);
  }
  return all.sort();
}

/** An element of a server, as ENRP messages carry it. */
export function ownedElement(identifier: number, homeServerId: number, facts: Partial<PoolElement> = {}): PoolElement {
  return poolElement(identifier, '10.0.1.1', { homeServerId, policy: { type: 'roundRobin' }, ...facts });
}

/** What a scripted peer needs of the world. */
type Surroundings = Pick<World, 'network' | 'now' | 'run'>;

/** A peer server by script. */
export class ScriptedPeer {
  readonly serverId: number;
  readonly process: MemoryProcess;
  readonly received: { readonly at: number; readonly message: EnrpMessage; readonly channel: EnrpChannel }[] = [];
  readonly channels: EnrpChannel[] = [];
  readonly streams: ByteStream[] = [];
  readonly closed: { readonly at: number; readonly error: Error | undefined }[] = [];
  /** Introduces itself, and answers "reply required" and requests for its own elements. */
  polite = true;
  /** Those that it lists as its own. */
  elements: PoolElement[] = [];
  /** Its PE checksum, as it says. */
  checksum: number = emptyChecksum;
  onMessage: (message: EnrpMessage, channel: EnrpChannel) => void = () => {};
  readonly #world: Surroundings;

  constructor(world: Surroundings, address: string, serverId: number) {
    this.#world = world;
    this.serverId = serverId;
    this.process = world.network.spawn(address);
  }

  listen(port = 9901): this {
    const onError = (error: Error): void => {
      throw error;
    };
    const at = { host: this.process.address, port };
    this.process.transport.listen(at, { onListening() {}, onError, onConnection: (stream) => this.#speak(stream) });
    return this;
  }

  /** Connects and introduces itself, without asking for an answer unless `ask`. */
  connect(host: string, ask = false): this {
    this.process.dispatch('input', () => {
      const onError = (error: Error): void => void this.closed.push({ at: this.#world.now, error });
      this.process.transport.connect({ host, port: 9901 }, { onOpen: (stream) => this.#speak(stream), onError });
    });
    this.#world.run(10);
    if (this.polite) this.send(this.presence(ask));
    this.#world.run(10);
    return this;
  }

  presence(replyRequired = false, receiverId = 0): EnrpMessage {
    const { serverId: senderId, checksum: peChecksum } = this;
    const transport = { type: 'tcp', port: 9901, address: this.process.address } as const;
    const serverInformation = { serverId: senderId, transport };
    return { type: 'presence', senderId, receiverId, replyRequired, peChecksum, serverInformation };
  }

  /** All of its elements in one part. */
  table(): EnrpMessage {
    const { serverId: senderId, elements: poolElements } = this;
    const poolEntries = poolElements.length === 0 ? [] : [{ poolHandle: 'echo', poolElements }];
    return { type: 'handleTableResponse', senderId, receiverId: 0, moreToSend: false, rejected: false, poolEntries };
  }

  addPe(identifier: number, facts: Partial<PoolElement> = {}): EnrpMessage {
    return this.update('addPe', ownedElement(identifier, this.serverId, facts));
  }

  update(action: 'addPe' | 'delPe', element: PoolElement): EnrpMessage {
    const envelope = { senderId: this.serverId, receiverId: 0, takeoverSuggested: false } as const;
    return { type: 'handleUpdate', ...envelope, action, poolHandle: 'echo', poolElement: element };
  }

  send(message: EnrpMessage): this {
    this.process.dispatch('input', () => this.channels.at(-1)?.send(message));
    return this;
  }

  sendBytes(hex: string): this {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    this.process.dispatch('input', () => void this.streams.at(-1)?.write([bytes]));
    return this;
  }

  messages<Type extends EnrpMessage['type']>(type: Type): (EnrpMessage & { type: Type })[] {
    return this.received.map(({ message }) => message).filter((message) => message.type === type) as never;
  }

  /** When messages of a type arrived. */
  instants(type: EnrpMessage['type']): number[] {
    return this.received.filter(({ message }) => message.type === type).map(({ at }) => at);
  }

  /** Forgets what it received. */
  clear(): void {
    this.received.length = 0;
  }

  #speak(stream: ByteStream): ByteStream['handler'] {
    const { clock } = this.process;
    const options = { clock, serverId: this.serverId, maxMessageSize: 65_538, maxBacklog: 1e9, closeTimeout: 1_000 };
    const channel: EnrpChannel = openEnrpChannel(stream, options, {
      onMessage: (message) => {
        this.received.push({ at: this.#world.now, message, channel });
        if (this.polite && message.type === 'presence' && message.replyRequired) channel.send(this.presence());
        if (this.polite && message.type === 'handleTableRequest' && message.ownChildrenOnly) channel.send(this.table());
        this.onMessage(message, channel);
      },
      onClose: (error) => void this.closed.push({ at: this.#world.now, error }),
    });
    this.channels.push(channel);
    this.streams.push(stream);
    return stream.handler;
  }
}
