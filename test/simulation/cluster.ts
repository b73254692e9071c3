/** Everything that runs in a simulation: the registrar, the elements and the users with their sessions. */

import { Detection } from './detection.js';
import { ElementProcess } from './element-process.js';
import { RegistrarProcess } from './registrar-process.js';
import { idlerQuota } from './scenario.js';
import type { ServedSession } from './served-session.js';
import { UserProcess } from './user-process.js';
import { UsingSession } from './using-session.js';
import type { World } from './world.js';

export class Cluster {
  readonly world: World;
  readonly users: UserProcess[] = [];
  readonly usingSessions: UsingSession[] = [];
  /** Every element that ever was, by its identifier. */
  readonly elements: Map<number, ElementProcess> = new Map();
  readonly elementHosts: readonly string[];
  readonly detection: Detection;
  registrar: RegistrarProcess;
  #nextIdentifier = 1;
  #usersStarted = 0;

  constructor(world: World) {
    this.world = world;
    const { scenario } = world;
    this.detection = new Detection(world, {
      elements: { [Symbol.iterator]: () => this.livingElements[Symbol.iterator]() },
      isListed: (element) => this.registrar.has(element.identifier),
    });
    this.registrar = new RegistrarProcess(world);
    this.elementHosts = Array.from({ length: scenario.elements }, (_, i) => `10.0.1.${i + 1}`);
    for (const host of this.elementHosts) this.#startElement(host, 7000);
    const { messages, users, sessionsPerUser, idlers } = scenario;
    const quota = Math.ceil(messages / (users * sessionsPerUser));
    const quotas = [...new Array<number>(sessionsPerUser).fill(quota), ...new Array<number>(idlers).fill(idlerQuota)];
    for (let i = 1; i <= users; i++) this.users.push(this.#startUser(`10.0.2.${i}`, quotas));
  }

  #startUser(host: string, quotas: readonly number[]): UserProcess {
    const user = new UserProcess(this.world, host, `user ${++this.#usersStarted}`);
    user.process.dispatch('input', () => {
      for (const quota of quotas) this.#startSession(user, quota);
    });
    return user;
  }

  /** When an element destroys the session, another one sends the rest. */
  #startSession(user: UserProcess, quota: number): void {
    const find = (identifier: number): ElementProcess => this.#element(identifier);
    const onDestroyed = (unsent: number): void => this.#startSession(user, unsent);
    this.usingSessions.push(new UsingSession(user, quota, find, onDestroyed));
  }

  /** Kills a user; another one begins on its machine, and sends what the dead one has not. */
  replaceUser(user: UserProcess): void {
    const quotas: number[] = [];
    for (const session of this.usingSessions) {
      if (session.user !== user) continue;
      quotas.push(session.unsent + session.account.outstanding);
      session.vanish();
    }
    user.process.kill();
    this.users[this.users.indexOf(user)] = this.#startUser(user.address, quotas);
  }

  /** Replaces an element in order: it deregisters, asks its users to go elsewhere, and ends when they have gone. */
  handOver(element: ElementProcess): void {
    element.handOver(() => {
      element.process.kill();
      this.replace(element, true);
    });
  }

  get livingElements(): ElementProcess[] {
    return [...this.elements.values()].filter((element) => !element.isDead);
  }

  startRegistrar(): void {
    this.registrar = new RegistrarProcess(this.world);
  }

  kill(element: ElementProcess): void {
    for (const served of element.sessions) this.#expectReceived(served, element);
    element.registeredAt = Number.POSITIVE_INFINITY;
    element.process.kill();
  }

  /** A new element on the machine of a dead one. */
  replace(dead: ElementProcess, samePort: boolean): void {
    const { host, port } = dead.address;
    this.#startElement(host, samePort ? port : port + 1);
  }

  /** What has left the dying element whole is to reach its user before anything of another one. */
  #expectReceived(served: ServedSession, element: ElementProcess): void {
    const using = this.usingSessions.find(({ account }) => account.index === served.index);
    if (using === undefined || using.state !== 'open' || using.element !== element) return;
    const { address } = using.user;
    const ways = [
      this.world.network.link(address, element.address.host),
      this.world.network.link(element.address.host, address),
    ];
    // What the dead process's system holds back is lost with a reset, should anything come for it.
    const { stream } = served;
    if (
      stream === undefined ||
      stream.bufferedBytes > 0 ||
      using.stream?.isSevered !== false ||
      using.stream.isForgotten ||
      ways.some((link) => link.cut)
    )
      return;
    using.expectReceived(served.connection.sentMessages);
  }

  #element(identifier: number): ElementProcess {
    return this.elements.get(identifier) ?? this.world.fail(`there never was an element ${identifier}`);
  }

  #startElement(host: string, port: number): void {
    const identifier = this.#nextIdentifier++;
    const others = (element: ElementProcess): ElementProcess[] => this.livingElements.filter((one) => one !== element);
    this.elements.set(identifier, new ElementProcess(this.world, { host, port }, identifier, others));
  }
}
