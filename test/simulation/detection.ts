/** How fast a failed element is replaced: watches the sessions that it had something to do for. */

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

  /** The element fails now. `lasts` tells at the deadline whether it still does not answer. */
  watch(sessions: Iterable<UsingSession>, element: ElementProcess, bound: number, lasts: () => boolean): void {
    for (const session of sessions) {
      if (session.state !== 'open' || session.element !== element || session.account.outstanding === 0) continue;
      this.#judgeAt(session, element, this.#world.now, this.#world.now + bound, lasts);
    }
  }

  #judgeAt(
    session: UsingSession,
    element: ElementProcess,
    since: number,
    deadline: number,
    lasts: () => boolean,
  ): void {
    const { failovers } = session;
    this.#world.network.time.schedule(deadline - this.#world.now, () => {
      if (session.state === 'closed' || session.failovers > failovers || !lasts()) return;
      const { account } = session;
      const oldest = account.entries[account.settledBefore];
      if (oldest === undefined || oldest.sentAt > since || this.#isExcused(session, since)) return;
      const silent = this.#silentElements(session, element, since);
      const { failureTimeout } = this.#world.scenario.mapping;
      const later = since + (deadline - since) + silent * (failureTimeout + perSilentElement);
      if (later <= this.#world.now) this.#late(session, element, since);
      else this.#judgeOnce(session, element, since, later, failovers, lasts);
    });
    this.judged++;
  }

  /** The last word, after those that do not answer either were tried. */
  #judgeOnce(
    session: UsingSession,
    element: ElementProcess,
    since: number,
    deadline: number,
    failovers: number,
    lasts: () => boolean,
  ): void {
    this.#world.network.time.schedule(deadline - this.#world.now, () => {
      if (session.state === 'closed' || session.failovers > failovers || !lasts()) return;
      if (!this.#isExcused(session, since)) this.#late(session, element, since);
    });
  }

  #late(session: UsingSession, element: ElementProcess, since: number): never {
    const after = (this.#world.now - since).toFixed(0);
    return this.#world.fail(`${session.name} has no other element ${after} ms after ${element.name} failed`);
  }

  /** Whether something else stood in the way: of the user, of the registrar, or of every other element. */
  #isExcused(session: UsingSession, since: number): boolean {
    const { health } = this.#world;
    const { user } = session;
    const quiet = since - quietTime;
    const ask = Health.way(user.address, registrarAddress.host);
    if (health.wasDisturbed(quiet, user.name, registrarName, ask)) return true;
    for (const element of this.#pool.elements) if (this.#isHealthy(session, element, quiet)) return false;
    return true;
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
