/** The application at a user, for one session: sends in bursts, judges what comes, ends in order. */

import type { Timer } from '../../lib/clock.js';
import { RserpoolError } from '../../lib/errors.js';
import type { MappingConnection } from '../../lib/mapping/mapping.js';
import type { BusinessCard } from '../../lib/session/business-card.js';
import { handle, type Message, type SendOptions } from '../../lib/session/message.js';
import type { FailoverFacts, SessionHandler } from '../../lib/session/session.js';
import { UserSession } from '../../lib/session/user-session.js';
import { defaultUserSessionOptions } from '../../lib/session/user-session-options.js';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { CardOrder, userCard } from './card-order.js';
import { CookieRecord } from './cookie-record.js';
import type { ElementProcess } from './element-process.js';
import { Health } from './health.js';
import type { Account, Entry } from './ledger.js';
import { pauseBetweenBursts } from './pace.js';
import { decodePayload, drawKind, encodePayload, payloadKind } from './payload.js';
import { Receipts } from './receipts.js';
import { idlerQuota } from './scenario.js';
import type { UserProcess } from './user-process.js';
import { type AccessWatch, watchedAccess } from './watched-access.js';
import type { World } from './world.js';

/** How far back (ms) a fault may lie that explains a failover. */
const explanationTime = 6000;

export class UsingSession implements SessionHandler {
  readonly user: UserProcess;
  readonly account: Account;
  readonly session: UserSession;
  readonly name: string;
  /** 'gone': its process was killed. */
  state: 'seeking' | 'open' | 'closed' | 'gone' = 'seeking';
  /** The element that has the session; while seeking, the one that had it. */
  element: ElementProcess | undefined;
  failovers = 0;
  /** When it was last open at an element. */
  openAt = 0;
  error: Error | undefined;
  readonly #world: World;
  readonly #findElement: (identifier: number) => ElementProcess;
  readonly #onDestroyed: (unsent: number) => void;
  readonly #quota: number;
  readonly #leaveAnswersOpen: boolean;
  #leftAt = Number.NEGATIVE_INFINITY;
  readonly #cookies: CookieRecord;
  #handingOver = false;
  #connection: MappingConnection | undefined;
  #connections = 0;
  #known: readonly number[] = [];
  /** Messages settled since this connection is open. */
  #settledHere = 0;
  readonly #receipts: Receipts;
  readonly cards: CardOrder;
  #requests = 0;
  /** Those whose answers the session matches. */
  #calls = 0;
  #timer: Timer | undefined;
  #ended = false;
  #destroyed = false;
  /** Leaves its element of its own free will. */
  #leavesByWish = false;
  #room = true;

  /** `onDestroyed`: by an element; so many of its messages are still to be sent. */
  constructor(
    user: UserProcess,
    quota: number,
    findElement: (identifier: number) => ElementProcess,
    onDestroyed: (unsent: number) => void,
  ) {
    const { world } = user;
    this.user = user;
    this.#world = world;
    this.#quota = quota;
    this.#findElement = findElement;
    this.#onDestroyed = onDestroyed;
    this.#leaveAnswersOpen = world.dice.chance(0.5);
    this.account = world.ledger.open();
    this.name = `session ${this.account.index}`;
    const fail = (reason: string): never => world.fail(`${this.name} ${reason}`);
    this.#receipts = new Receipts(fail);
    this.#cookies = new CookieRecord(world, this.name);
    this.cards = new CardOrder(user.tainted, fail);
    this.session = new UserSession(
      watchedAccess(user.access(), this.#accessWatch()),
      user.process.clock,
      world.network.random,
      {
        ...defaultUserSessionOptions,
        ...(quota <= idlerQuota ? { maxFailovers: Number.POSITIVE_INFINITY } : {}),
        onFailover: this.#failoverCallback(),
        businessCard: userCard(world.scenario, this.account.index, user.address),
      },
      this,
    );
    this.#sendLater();
  }

  /** What the session does with the pool is judged. */
  #accessWatch(): AccessWatch {
    const world = this.#world;
    return {
      onResolve: () => this.#onSearching(),
      onKnown: (identifiers) => {
        this.#known = identifiers;
      },
      onDial: ({ identifier }, { sessionId }) => {
        this.#onSearching();
        world.trace.note('dials', this.name, identifier);
        if (this.session.isExcluded(identifier)) world.fail(`${this.name} dials an element that it excludes`);
        const { broken } = defaultUserSessionOptions.exclusion;
        if (identifier === this.element?.identifier && world.now - this.#leftAt < broken - 0.001) {
          world.fail(`${this.name} dials the element that it has just left`);
        }
        this.cards.judge(identifier);
        this.#cookies.dialling(sessionId, identifier);
      },
      onOpen: (connection) => {
        this.#connection = connection;
        this.#connections++;
        this.#settledHere = 0;
        this.#receipts.restart();
      },
      onUnreachable: (identifier) => void this.user.tainted.add(identifier),
    };
  }

  #failoverCallback(): ((facts: FailoverFacts) => void | Promise<void>) | undefined {
    const { failoverCallback } = this.#world.scenario;
    if (failoverCallback === 'none') return undefined;
    if (failoverCallback === 'returns') return (facts) => this.#judgeFacts(facts);
    return (facts) => {
      this.#judgeFacts(facts);
      this.#handingOver = true;
      return this.#pause(30, () => {
        this.#handingOver = false;
      });
    };
  }

  #judgeFacts(facts: FailoverFacts): void {
    const told = facts.unsent.length + facts.unacknowledged.length;
    if (told !== this.account.outstanding) {
      this.#world.fail(
        `${this.name}: the callback is told of ${told} messages; ${this.account.outstanding} are outstanding`,
      );
    }
    for (const { sequence } of facts.unsent) {
      const entry = this.account.entries[sequence - 1];
      if (entry === undefined || entry.begunMarked + entry.begunUnmarked === 0) continue;
      this.#world.fail(`${this.name}: message ${sequence} counts as unsent, and was executed`);
    }
    this.#cookies.judgeFacts(facts);
  }

  onOpen(): void {
    this.#world.trace.note('open', this.name, this.session.element?.identifier);
    this.#openAt(this.session.element?.identifier ?? 0);
  }

  onFailover(facts: FailoverFacts): void {
    this.#world.trace.note('fails over', this.name, facts.from.identifier, facts.to.identifier);
    this.failovers++;
    this.#openAt(facts.to.identifier);
  }

  /** Its process is killed. */
  vanish(): void {
    this.state = 'gone';
  }

  onResume(): void {
    this.#world.trace.note('resumes', this.name);
  }

  #openAt(identifier: number): void {
    this.state = 'open';
    this.openAt = this.#world.now;
    this.element = this.#findElement(identifier);
    this.#sendLater();
  }

  /** The present element is dead and has sent this many messages whole. */
  expectReceived(messages: number): void {
    this.#receipts.expect(messages);
  }

  /** The session gives its element up, if it does not only prepare for that: only a fault of it, or on the way, may be the reason. */
  #onSearching(): void {
    if (this.state !== 'open' || this.session.path !== undefined) return;
    const { health, trace, now } = this.#world;
    this.account.left++;
    const element = this.element as ElementProcess;
    this.user.tainted.add(element.identifier);
    trace.note('leaves', this.name, element.identifier);
    this.state = 'seeking';
    this.#leftAt = now;
    const way = Health.way(this.user.address, element.address.host);
    const places = [element.name, way];
    if (health.isDisturbed(this.name)) health.end(this.name);
    // A user that heard nothing for too long, or wishes to leave, gives up what is still on its way.
    const patient = !this.#leavesByWish && !health.wasDisturbed(now - explanationTime, way, this.name);
    // The session keeps the first two parts of an answer in three until the last has come; none after the caller gave up.
    const kept = 2 * this.#calls;
    if (this.#world.scenario.abandoned === 0 && patient) this.#receipts.judgeWhole(kept);
    this.#judgeMarks();
    if (this.#leavesByWish || element.isHandingOver) {
      for (const entry of this.account.entries) if (entry.state === 'outstanding') entry.leftByWish = true;
    } else if (!health.wasDisturbed(now - explanationTime, ...places, this.name)) {
      this.#world.fail(`${this.name} leaves ${element.name} without a fault that explains it`);
    }
  }

  /** The byte stream that carries it at the moment. */
  get stream(): MemoryStream | undefined {
    const port = this.#connection?.localAddress.port;
    return [...this.user.process.streams].find((stream) => stream.localAddress.port === port);
  }

  /** Goes elsewhere although nothing is wrong: by the application's wish, or the element's. */
  failOver(): void {
    if (this.state !== 'open') return;
    this.#leavesByWish = true;
    this.user.process.dispatch('input', () => this.session.failOver('the application wishes it'));
    this.#leavesByWish = false;
  }

  /** What has left and was not answered is marked now, and nothing else. */
  #judgeMarks(): void {
    const newly = this.#world.ledger.mark(this.account, this.session.retrieve().unacknowledged);
    const left = (this.#connection?.sentMessages ?? 0) - this.#settledHere;
    if (newly > left) this.#world.fail(`${this.name} marks ${newly} messages redelivered; ${left} were under way`);
  }

  onMessage(message: Message): void {
    const world = this.#world;
    const payload = decodePayload(message.data);
    if (payload === undefined) {
      world.fail(`${this.name} got a message put together wrongly`);
      return;
    }
    if (this.state !== 'open' && !this.#handingOver) world.fail(`${this.name} got a message while it had no element`);
    const element = this.session.element?.identifier;
    if (payload.element !== element) world.fail(`${this.name} got a message of ${payload.element} while at ${element}`);
    this.#receipts.inOrder(message);
    if (payload.kind === payloadKind.answer) {
      if (message.inAnswerTo !== payload.number) world.fail(`${this.name} got an answer to another message`);
      world.trace.note(message.lastAnswer ? 'answered' : 'answered in part', this.name, payload.number, payload.part);
      world.ledger.answer(this.account, payload, message.lastAnswer, this.#connections);
      if (message.lastAnswer) {
        this.#requests--;
        if (world.dice.chance(0.3)) this.#sendSome(1);
      }
    }
    const slow = world.dice.chance(0.05);
    handle(
      message,
      () => (slow ? this.#pause(10) : undefined),
      (error) => world.fail(`${error}`),
    );
  }

  /** Resolves within so many milliseconds, `then` before that. */
  #pause(most: number, then: () => void = () => {}): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        then();
        this.#world.microtasksDue = true;
        resolve();
      };
      this.user.process.clock.setTimeout(over, this.#world.dice.between(0, most));
    });
  }

  onEnd(message: Message): void {
    this.#world.trace.note('far end', this.name);
    message.acknowledge();
  }

  onRoom(): void {
    this.#room = true;
    if (this.state === 'open') this.#sendSome(1);
  }

  onCookie(cookie: Uint8Array): void {
    this.#cookies.received(cookie, this.session);
  }

  onBusinessCard(card: BusinessCard): void {
    this.cards.received(card);
  }

  onClose(error: Error | undefined): void {
    const world = this.#world;
    world.trace.note(error === undefined ? 'closed' : 'closed with an error', this.name);
    if (this.state === 'closed') world.fail(`${this.name} closed twice`);
    this.state = 'closed';
    this.error = error;
    this.#timer?.cancel();
    const { unsent, unacknowledged } = this.session.retrieve();
    const handedBack = [...unsent, ...unacknowledged].map((message) => message.sequence);
    world.ledger.close(this.account, error === undefined && !this.#destroyed, handedBack);
    if (error !== undefined && !(error instanceof RserpoolError) && !('code' in error)) {
      world.fail(`${this.name} closed with an error that does not say why: ${error}`);
    }
    if (this.isDestroyedByElement && !world.isEnding) this.#onDestroyed(this.unsent + handedBack.length);
  }

  /** The elements that the last answer of the registrar named. */
  get known(): readonly number[] {
    return this.#known;
  }

  /** The application of its element did not want it any more. */
  get isDestroyedByElement(): boolean {
    const isAborted = (this.error as Partial<RserpoolError> | undefined)?.code === 'ERR_RSERPOOL_ABORTED';
    return isAborted && this.#world.destroyed.has(this.account.index);
  }

  get isDoneSending(): boolean {
    return (
      this.#world.isEnding ||
      this.state === 'gone' ||
      this.state === 'closed' ||
      this.account.entries.length >= this.#quota
    );
  }

  /** How many messages of its quota it has not sent. */
  get unsent(): number {
    return Math.max(0, this.#quota - this.account.entries.length);
  }

  #sendLater(): void {
    this.#timer?.cancel();
    if (this.state === 'closed' || this.#ended) return;
    const { dice, scenario } = this.#world;
    this.#timer = this.user.process.clock.setTimeout(
      () => {
        this.#sendSome(dice.whole(1, scenario.burst));
        this.#sendLater();
      },
      pauseBetweenBursts(dice, scenario, this.#quota),
    );
  }

  /** Sends, whatever state the session is in, until there is no room. */
  #sendSome(count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.state === 'closed' || this.#ended) return;
      // An application need not heed that there is no room, such as while another element is sought.
      if (!this.#room && !this.#world.dice.chance(0.02)) return;
      if (this.isDoneSending) {
        if (this.#leaveAnswersOpen || this.account.outstanding === 0) this.#end();
        return;
      }
      if (!this.#send()) return;
    }
  }

  /** False: the session has no room, or enough requests are waiting. */
  #send(): boolean {
    const { dice, scenario, ledger, trace } = this.#world;
    const kind = drawKind(dice);
    if (kind !== payloadKind.oneWay) {
      if (this.#requests >= scenario.outstanding) return false;
      this.#requests++;
    }
    const { common } = scenario;
    const size = dice.chance(scenario.large) ? dice.whole(1000, scenario.largest) : dice.whole(20, common);
    const { account } = this;
    const failover = !dice.chance(scenario.withoutFailover);
    const entry = ledger.sent(account, kind, size, failover);
    trace.note('sends', this.name, entry.sequence, kind);
    const data = encodePayload({ kind, part: 0, session: account.index, number: entry.sequence, element: 0 }, size);
    const options = { streamId: dice.whole(0, 3), unordered: dice.chance(scenario.unordered), failover };
    if (kind !== payloadKind.oneWay && failover && dice.chance(scenario.calls)) {
      this.#call(data, options, entry);
      return true;
    }
    this.#room = this.session.send(data, options, (error) => {
      if (error !== undefined && kind !== payloadKind.oneWay) this.#requests--;
      this.#settle(entry, error);
    });
    return this.#room;
  }

  /** Leaves it to the session to match the answer. */
  #call(data: Uint8Array, options: SendOptions, entry: Entry): void {
    const { dice, scenario } = this.#world;
    this.#calls++;
    const request = this.session.request(data, options, (error, answer) => {
      this.#requests--;
      this.#calls--;
      this.#settle(entry, error);
      if (answer === undefined) return;
      for (const part of answer.earlier) this.#onAnswered(part, entry);
      this.#onAnswered(answer, entry);
      if (!answer.lastAnswer)
        this.#world.fail(`${this.name} got the answer to ${entry.sequence} without its last part`);
    });
    if (!dice.chance(scenario.abandoned)) return;
    this.user.process.clock.setTimeout(
      () => {
        if (entry.state !== 'outstanding') return;
        entry.abandoned = true;
        // It counts as settled, and may not have left, or have to leave again.
        this.#settledHere--;
        this.#world.trace.note('gives up', this.name, entry.sequence);
        this.session.abandon(request, new Error('the caller no longer waits'));
      },
      dice.between(0, 40),
    );
  }

  #onAnswered(message: Message, entry: Entry): void {
    const world = this.#world;
    const payload = decodePayload(message.data);
    if (payload?.kind !== payloadKind.answer || payload.number !== entry.sequence) {
      world.fail(`${this.name} got another message as answer to ${entry.sequence}`);
      return;
    }
    this.#receipts.once(message);
    world.trace.note('answered', this.name, payload.number, payload.part);
    world.ledger.answer(this.account, payload, message.lastAnswer, this.#connections);
  }

  #settle(entry: Entry, error: Error | undefined): void {
    this.#world.trace.note(error === undefined ? 'acknowledged' : 'given up', this.name, entry.sequence);
    this.#settledHere++;
    this.#world.ledger.settle(this.account, entry, error);
  }

  #end(): void {
    const { dice, scenario } = this.#world;
    this.#ended = true;
    this.#timer?.cancel();
    if (dice.chance(scenario.destroyed)) {
      this.#world.trace.note('is destroyed', this.name);
      this.#destroyed = true;
      this.session.destroy('the application wishes it');
      return;
    }
    this.#world.trace.note('ends', this.name);
    this.session.end();
  }
}
