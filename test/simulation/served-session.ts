/** The application at an element, for one user's session. */

import type { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { messageOverhead } from '../../lib/mapping/tcp/frame.js';
import type { BusinessCard } from '../../lib/session/business-card.js';
import type { Cookie } from '../../lib/session/cookie.js';
import type { ElementSession } from '../../lib/session/element-session.js';
import { handle, type Message } from '../../lib/session/message.js';
import type { SessionHandler } from '../../lib/session/session.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { ByteStream } from '../../lib/transport/transport.js';
import type { Entry } from './ledger.js';
import { decodePayload, encodePayload, type Payload, payloadKind } from './payload.js';
import { dialKey, userIdentifier, type World } from './world.js';

/** The element that serves it. */
export interface ServingElement {
  readonly world: World;
  readonly process: MemoryProcess;
  readonly name: string;
  readonly identifier: number;
  readonly sessions: Set<ServedSession>;
}

/** What a handler fails with when it is meant to. */
const intendedFailure = new Error('the handler fails');

export class ServedSession implements SessionHandler {
  readonly element: ServingElement;
  readonly session: ElementSession;
  readonly connection: TcpMappingConnection;
  /** What the user echoed. */
  readonly cookie: Cookie | undefined;
  /** The byte stream that carries it at the moment. */
  get stream(): ByteStream | undefined {
    const { host, port } = this.connection.remoteAddress;
    for (const stream of this.element.process.streams) {
      if (stream.remoteAddress.port === port && stream.remoteAddress.host === host) return stream;
    }
    return undefined;
  }

  /** The user's session, once a message has told which. */
  index: number | undefined;
  /** Whom the user's business card names. */
  #userCard: number | undefined;
  readonly #world: World;
  /** By stream. */
  readonly #lastSequences = new Map<number, number>();
  #executing = 0;
  #executingBytes = 0;
  #endReceived = false;
  #closed = false;

  constructor(
    element: ServingElement,
    session: ElementSession,
    connection: TcpMappingConnection,
    cookie: Cookie | undefined,
  ) {
    this.element = element;
    this.session = session;
    this.connection = connection;
    this.cookie = cookie;
    this.#world = element.world;
  }

  onOpen(): void {
    const { world, identifier } = this.element;
    world.trace.note('session open', this.element.name);
    this.#judgeCookie();
    if (world.scenario.cookies) {
      const cookie = encodePayload(
        { kind: 0, part: 0, session: 0, number: world.trace.events, element: identifier },
        16,
      );
      this.session.setCookie(cookie);
    }
  }

  /** What was echoed is the last cookie that the user had got when it dialled us. */
  #judgeCookie(): void {
    const { cookie } = this;
    if (cookie !== undefined && cookie.verified !== (this.#world.scenario.cookieProtection !== undefined))
      this.#world.fail(`${this.element.name} takes a cookie for ${cookie.verified ? '' : 'un'}verified`);
    const shown = this.#world.cookies.get(dialKey(this.session.sessionId, this.element.identifier)) ?? [];
    if (
      shown.some((one) =>
        one === undefined || cookie === undefined ? one === cookie : Buffer.compare(one, cookie) === 0,
      )
    )
      return;
    this.#world.fail(`${this.element.name} was echoed another cookie than the last that its user had got`);
  }

  onMessage(message: Message): void {
    const onFailure = (error: unknown): void => {
      if (error !== intendedFailure) this.#world.fail(`a handler failed: ${error}`);
      this.session.fail(intendedFailure);
    };
    if (!this.#world.scenario.manual) handle(message, (taken) => this.#execute(taken), onFailure);
    // What the handler returns says nothing then.
    else handle(message, (taken) => void this.#execute(taken)?.then(undefined, onFailure), onFailure, 'manual');
  }

  onBusinessCard(card: BusinessCard): void {
    this.#userCard = card.elements[0]?.identifier;
  }

  onEnd(message: Message): void {
    this.#endReceived = true;
    message.acknowledge();
    this.#endIfDone();
  }

  onRoom(): void {}
  onCookie(): void {}
  onFailover(): void {}

  onResume(): void {
    this.#world.trace.note('resumed', this.element.name, this.index ?? -1);
  }

  onClose(error: Error | undefined): void {
    this.#closed = true;
    this.element.sessions.delete(this);
    this.#world.trace.note(
      error === undefined ? 'session closed' : 'session broken',
      this.element.name,
      this.index ?? -1,
    );
  }

  #execute(message: Message): Promise<void> | undefined {
    const world = this.#world;
    const payload = decodePayload(message.data);
    if (payload === undefined) return world.fail(`${this.element.name} got a message put together wrongly`);
    if (payload.number !== message.sequence)
      world.fail(`message ${payload.number} came with sequence ${message.sequence}`);
    const last = this.#lastSequences.get(message.streamId) ?? 0;
    if (!message.unordered) {
      if (message.sequence <= last)
        world.fail(`message ${message.sequence} of session ${payload.session} came after ${last}`);
      this.#lastSequences.set(message.streamId, message.sequence);
    }
    this.index = payload.session;
    if (world.scenario.cards && this.#userCard !== userIdentifier(payload.session))
      world.fail(`${this.element.name} got a message before the business card of its user`);
    const entry = world.ledger.begin(payload, message.redelivered);
    world.trace.note(
      message.redelivered ? 'begins again' : 'begins',
      this.element.name,
      payload.session,
      payload.number,
    );
    this.#count(1, message.data.length);
    const { dice } = world;
    if (dice.chance(0.02)) this.session.send(this.#payload(payload, payloadKind.push, 0), {});
    if (dice.chance(world.scenario.failingHandlers)) return this.#failing();
    if (dice.chance(world.scenario.elementDestroys)) return this.#destroy(payload);
    if (dice.chance(0.1)) {
      this.#finish(message, payload, entry, 0);
      return undefined;
    }
    return payload.kind === payloadKind.threefold
      ? this.#inThree(message, payload, entry)
      : this.#later(message, payload, entry, 0);
  }

  #later(message: Message, payload: Payload, entry: Entry, part: number): Promise<void> {
    return new Promise((resolve) => {
      this.element.process.clock.setTimeout(() => {
        this.#finish(message, payload, entry, part);
        this.#world.microtasksDue = true;
        resolve();
      }, this.#takingTime());
    });
  }

  /** Milliseconds that an execution lasts. A user whose window is full meanwhile must wait, not give up. */
  #takingTime(): number {
    const { dice, scenario } = this.#world;
    return dice.chance(scenario.stalls) ? dice.between(500, 6000) : dice.between(0, 20);
  }

  /** The handler throws, or rejects later: the user is to go elsewhere. */
  #failing(): Promise<void> {
    const world = this.#world;
    const touch = (): Error => {
      world.trace.note('handler fails', this.element.name, this.index);
      world.health.touch(this.element.name);
      return intendedFailure;
    };
    if (world.dice.chance(0.3)) throw touch();
    return new Promise((_resolve, reject) => {
      const delay = world.dice.between(0, 20);
      this.element.process.clock.setTimeout(() => {
        world.microtasksDue = true;
        reject(touch());
      }, delay);
    });
  }

  /** Its user is to hear of it, and to go nowhere else. */
  #destroy({ session }: Payload): undefined {
    this.#world.trace.note('destroys', this.element.name, session);
    this.#world.destroyed.add(session);
    this.session.destroy('the application wishes it');
  }

  /** Answers in three messages, the last of them flagged. */
  #inThree(message: Message, payload: Payload, entry: Entry): Promise<void> {
    const { clock } = this.element.process;
    message.reply(this.#payload(payload, payloadKind.answer, 0), { last: false, streamId: message.streamId });
    return new Promise((resolve) => {
      clock.setTimeout(
        () => {
          message.reply(this.#payload(payload, payloadKind.answer, 1), { last: false, streamId: message.streamId });
          resolve(this.#later(message, payload, entry, 2));
          this.#world.microtasksDue = true;
        },
        this.#world.dice.between(0, 10),
      );
    });
  }

  #finish(message: Message, payload: Payload, entry: Entry, part: number): void {
    this.#world.ledger.finish(entry);
    this.#world.trace.note('finishes', this.element.name, payload.session, payload.number);
    if (payload.kind !== payloadKind.oneWay) {
      message.reply(this.#payload(payload, payloadKind.answer, part), { streamId: message.streamId });
    } else if (this.#world.scenario.manual) message.acknowledge();
    this.#count(-1, -message.data.length);
    this.#endIfDone();
  }

  #payload(payload: Payload, kind: number, part: number): Uint8Array {
    const { common, large, largest } = this.#world.scenario;
    const { dice } = this.#world;
    const size = dice.chance(large) ? dice.whole(1000, largest) : dice.whole(20, common);
    return encodePayload({ ...payload, kind, part, element: this.element.identifier }, size);
  }

  /**
   * What is being executed never exceeds the window, the fragment that may begin in it, and the messages that were in
   * pieces meanwhile, one on each stream and the unordered ones: they could not arrive otherwise.
   */
  #count(messages: number, bytes: number): void {
    const { longest, mapping, unordered } = this.#world.scenario;
    const { window, longestPayload, openMessages } = mapping;
    const inPieces = unordered > 0 ? openMessages : 4;
    this.#executing += messages;
    this.#executingBytes += bytes + messages * messageOverhead;
    const most = window + longestPayload + messageOverhead + inPieces * longest;
    if (this.#executingBytes > most)
      this.#world.fail(`${this.#executingBytes} bytes are being executed; the most is ${most}`);
  }

  #endIfDone(): void {
    if (this.#endReceived && this.#executing === 0 && !this.#closed) this.session.end();
  }
}
