/** How fast a failed element is replaced: watches the sessions that it had something to do for. */

import { idleTimeout } from '../../lib/mapping/tcp/options.js';
import type { ElementProcess } from './element-process.js';
import { Health } from './health.js';
import type { UsingSession } from './using-session.js';
import { registrarAddress, registrarName, type World } from './world.js';

/** What the judgement needs to know of the pool. */
export interface PoolFacts {
  readonly elements: Iterable<ElementProcess>;
  /** Whether the registrar's pool holds the element at present. */
  isListed(element: ElementProcess): boolean;
}

/** Milliseconds without a disturbance after which nobody remembers it. */
const quietTime = 3500;
/** Milliseconds after which another element must have the session of a dead one. */
const deadBound = 1500;
/** Milliseconds after which another element must have the session of one that was found silent. */
const answerBound = 1000;
/** What one more element that does not answer may cost (ms) beside its failure time-out. */
const perSilentElement = 150;

export class Detection {
  readonly #world: World;
  readonly #pool: PoolFacts;
  /** Failures that were judged, and not excused. */
  judged = 0;

  constructor(world: World, pool: PoolFacts) {
    this.#world = world;
    this.#pool = pool;
  }

  /** The element was killed: its connections break, so that even idle users know, unless they are cut off from it. */
  watchDead(sessions: Iterable<UsingSession>, element: ElementProcess): void {
    const { health, now } = this.#world;
    const { reconnectTimeout } = this.#world.scenario.mapping;
    for (const session of this.#openAt(sessions, element)) {
      const way = Health.way(session.user.address, element.address.host);
      // Over a bad way it takes time to learn that nobody takes another connection.
      const bound = deadBound + (health.wasDisturbed(now - quietTime, way) ? reconnectTimeout : 0);
      this.#watch(session, element, health.isDisturbed(way) ? Math.max(bound, this.#idleBound) : bound, () => true);
    }
  }

  /** Milliseconds after which another element must have a session that nothing waits for. */
  get #idleBound(): number {
    const { mapping } = this.#world.scenario;
    return idleTimeout(mapping) + mapping.failureTimeout + answerBound;
  }

  /** The element falls silent. `lasts` tells whether it still does. */
  watchSilent(sessions: Iterable<UsingSession>, element: ElementProcess, lasts: () => boolean): void {
    const { failureTimeout } = this.#world.scenario.mapping;
    const since = this.#world.now;
    for (const session of this.#openAt(sessions, element)) {
      this.#watch(session, element, this.#idleBound, lasts);
      // While nothing waits for it, it may be silent for longer.
      const owes = (): boolean => {
        const { entries, settledBefore } = session.account;
        const oldest = entries[settledBefore];
        return lasts() && oldest !== undefined && oldest.sentAt <= since;
      };
      if (session.account.outstanding > 0) this.#watch(session, element, failureTimeout + answerBound, owes);
    }
  }

  /** Something on the way forgets the session's connection, while others between the two processes go on. */
  watchForgotten(session: UsingSession): void {
    const { element, stream } = session;
    const { mapping } = this.#world.scenario;
    if (element === undefined) return;
    const bound = Math.max(idleTimeout(mapping), mapping.pathInterval + mapping.failureTimeout);
    this.#watch(session, element, bound + mapping.failureTimeout + answerBound, () => session.stream === stream);
  }

  /** Without those whose connection was forgotten lately: nothing tells them, and they do not come back at once. */
  *#openAt(sessions: Iterable<UsingSession>, element: ElementProcess): Iterable<UsingSession> {
    const { health, now } = this.#world;
    for (const session of sessions) {
      if (session.state !== 'open' || session.element !== element) continue;
      if (!health.wasDisturbed(now - quietTime, session.name)) yield session;
    }
  }

  #watch(session: UsingSession, element: ElementProcess, bound: number, lasts: () => boolean): void {
    const since = this.#world.now;
    const { failovers, known } = session;
    const goesOn = (): boolean =>
      session.state !== 'closed' && session.state !== 'gone' && session.failovers === failovers && lasts();
    this.judged++;
    this.#after(bound, () => {
      if (!goesOn() || this.#choice(session, since, known) === undefined) return;
      const { failureTimeout, reconnectTimeout } = this.#world.scenario.mapping;
      const patience = failureTimeout + perSilentElement;
      // Those that do not answer either have to be tried before one that does.
      const silent = this.#silentElements(session, element, since) + session.cards.length;
      // Who lost its connection since has tried to come back by another one.
      const wayBack = this.#world.health.wasDisturbed(since, Health.connection(session.name)) ? reconnectTimeout : 0;
      this.#after(silent * patience + wayBack, () => {
        const choice = this.#choice(session, since, known);
        if (!goesOn() || choice === undefined) return;
        const late = (this.#world.now - since).toFixed(0);
        this.#world.fail(
          `${session.name} has no other element ${late} ms after ${element.name} failed, and ${choice.name} is well`,
        );
      });
    });
  }

  #after(delay: number, judge: () => void): void {
    if (delay === 0) judge();
    else this.#world.network.time.schedule(delay, judge);
  }

  /** An element that nothing kept the user from; undefined if the user itself was disturbed, or every one it can know of. */
  #choice(session: UsingSession, since: number, known: readonly number[]): ElementProcess | undefined {
    const { health } = this.#world;
    const { user } = session;
    const quiet = since - quietTime;
    if (health.wasDisturbed(quiet, user.name)) return undefined;
    const ask = Health.way(user.address, registrarAddress.host);
    const isAlone = health.wasDisturbed(quiet, registrarName, ask);
    for (const element of this.#pool.elements) {
      // Without a registrar a session goes to those that it knows.
      if (this.#isHealthy(session, element, quiet) && (!isAlone || known.includes(element.identifier))) return element;
    }
    return undefined;
  }

  #isHealthy(session: UsingSession, element: ElementProcess, quiet: number): boolean {
    const { health } = this.#world;
    const { host } = element.address;
    const names = [element.name, Health.way(session.user.address, host), Health.way(host, registrarAddress.host)];
    return element.registeredAt < quiet && this.#pool.isListed(element) && !health.wasDisturbed(quiet, ...names);
  }

  /** Others that did not answer at some time since. Dead ones refuse at once, unless their machine is cut off. */
  #silentElements(session: UsingSession, failed: ElementProcess, since: number): number {
    const { health } = this.#world;
    let silent = 0;
    for (const element of this.#pool.elements) {
      const way = Health.way(session.user.address, element.address.host);
      if (element !== failed && health.wasDisturbed(since - quietTime, element.name, way)) silent++;
    }
    return silent;
  }
}
