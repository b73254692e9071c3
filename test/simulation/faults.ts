/** The faults that a seed brings about: which, whom, when and for how long. */

import type { Cluster } from './cluster.js';
import { Dice } from './dice.js';
import type { ElementProcess } from './element-process.js';
import { Health } from './health.js';
import { shortPathInterval } from './scenario.js';
import type { UsingSession } from './using-session.js';
import { registrarAddress, registrarName } from './world.js';

export const faultKinds = [
  'kill',
  'freeze',
  'cut',
  'restartRegistrar',
  'slow',
  'lose',
  'handOver',
  'failOver',
  'killUser',
  'sever',
  'forget',
] as const;
export type FaultKind = (typeof faultKinds)[number];

const weights: Readonly<Record<FaultKind, number>> = {
  kill: 5,
  freeze: 4,
  cut: 4,
  restartRegistrar: 1,
  slow: 2,
  lose: 2,
  handOver: 1,
  failOver: 1,
  killUser: 0.3,
  sever: 8,
  forget: 3,
};

/** Two machines and the probability that a segment between them is lost. */
interface LossyWay {
  readonly way: string;
  readonly probability: number;
}

export class Faults {
  readonly counts: Record<FaultKind, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >;
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #lossy: LossyWay[] = [];
  /** What ends the faults that are in effect. */
  readonly #heal = new Set<() => void>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#dice = new Dice(cluster.world.scenario.seed ^ 0x1b873593);
    cluster.world.network.intercept = (from, to) => {
      if (this.#lossy.length === 0) return 'deliver';
      const way = Health.way(from, to);
      return this.#lossy.some((lossy) => lossy.way === way && this.#dice.chance(lossy.probability))
        ? 'lose'
        : 'deliver';
    };
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  get kinds(): number {
    return Object.values(this.counts).filter((count) => count > 0).length;
  }

  /** Milliseconds until the next one. */
  nextPause(): number {
    return Math.min(this.#dice.pause(this.#cluster.world.scenario.faultPause), 4000);
  }

  /** Brings one about, if what it needs is there. */
  strike(): void {
    const kind = this.#dice.weighted(weights);
    if (this.#start(kind)) this.counts[kind]++;
  }

  /** Ends all that are in effect. */
  healAll(): void {
    for (const heal of [...this.#heal]) heal();
  }

  #start(kind: FaultKind): boolean {
    switch (kind) {
      case 'kill':
        return this.#kill();
      case 'freeze':
        return this.#freeze();
      case 'cut':
        return this.#cut();
      case 'restartRegistrar':
        return this.#restartRegistrar();
      case 'slow':
        return this.#slow();
      case 'lose':
        return this.#lose();
      case 'handOver':
        return this.#handOver();
      case 'failOver':
        return this.#failOver();
      case 'killUser':
        return this.#killUser();
      case 'sever':
        return this.#sever();
      case 'forget':
        return this.#forget();
    }
  }

  /** `heal` runs once: after `delay`, or when all faults end. */
  #later(delay: number, heal: () => void): void {
    const once = (): void => {
      if (this.#heal.delete(once)) heal();
    };
    this.#heal.add(once);
    this.#cluster.world.network.time.schedule(delay, once);
  }

  #aliveElement(): ElementProcess | undefined {
    const alive = this.#cluster.livingElements;
    return alive.length === 0 ? undefined : this.#dice.pick(alive);
  }

  #kill(): boolean {
    const { world, detection, usingSessions } = this.#cluster;
    const element = this.#aliveElement();
    if (element === undefined) return false;
    world.trace.note('kill', element.name);
    world.health.begin(element.name);
    detection.watchDead(usingSessions, element);
    this.#cluster.kill(element);
    const samePort = this.#dice.chance(0.5);
    this.#later(this.#dice.between(10, 2000), () => this.#cluster.replace(element, samePort));
    return true;
  }

  #freeze(): boolean {
    const { world, detection, usingSessions, users } = this.#cluster;
    const duration = this.#dice.chance(0.1) ? this.#dice.between(3000, 8000) : this.#dice.between(200, 3000);
    const which = this.#dice.weighted({ element: 6, user: 2, registrar: 1 });
    const element = which === 'element' ? this.#aliveElement() : undefined;
    if (which === 'element' && element === undefined) return false;
    const { process } = element ?? (which === 'user' ? this.#dice.pick(users) : this.#cluster.registrar);
    if (process.state !== 'running') return false;
    const { name } = process;
    world.trace.note('freeze', name, duration);
    world.health.begin(name);
    process.freeze();
    let lasts = true;
    if (element !== undefined) {
      detection.watchSilent(usingSessions, element, () => lasts && process.state === 'frozen');
    }
    this.#later(duration, () => {
      lasts = false;
      if (process.state === 'frozen') world.trace.note('thaw', name);
      // Its elements may have given the user up meanwhile.
      for (const session of usingSessions) {
        if (session.user.process === process && duration > this.#patienceWith(session))
          world.health.touch(session.name);
      }
      process.thaw();
      world.health.end(name);
    });
    return true;
  }

  /** Milliseconds of a user's silence after which its element may give the session up. */
  #patienceWith({ state }: UsingSession): number {
    const { helloTimeout, resumeTimeout } = this.#cluster.world.scenario.mapping;
    // An element that stands by; one that waits for its user to come back, or for a sign of life, which is more.
    return state === 'seeking' ? helloTimeout : resumeTimeout - 100;
  }

  /** The addresses of two machines that talk to each other. */
  #way(): readonly [string, string] {
    const user = this.#dice.pick(this.#cluster.users).address;
    const element = this.#dice.pick(this.#cluster.elementHosts);
    const registrar = registrarAddress.host;
    const between = this.#dice.weighted({ userAndElement: 5, elementAndRegistrar: 2, userAndRegistrar: 2 });
    if (between === 'userAndElement') return [user, element];
    return between === 'elementAndRegistrar' ? [element, registrar] : [user, registrar];
  }

  #cut(): boolean {
    const { world, detection, usingSessions, livingElements } = this.#cluster;
    const { network, health } = world;
    const [a, b] = this.#way();
    if (network.link(a, b).cut) return false;
    const way = Health.way(a, b);
    const duration = this.#dice.between(100, 4000);
    world.trace.note('cut', way, duration);
    health.begin(way);
    network.cut(a, b);
    let lasts = true;
    for (const element of livingElements) {
      if (element.address.host !== b) continue;
      const cutOff = [...usingSessions].filter((session) => session.user.address === a);
      detection.watchSilent(cutOff, element, () => lasts);
    }
    this.#later(duration, () => {
      lasts = false;
      world.trace.note('join', way);
      network.join(a, b);
      health.end(way);
    });
    return true;
  }

  #restartRegistrar(): boolean {
    const { world } = this.#cluster;
    if (world.health.isDisturbed(registrarName)) return false;
    world.trace.note('restart', registrarName);
    world.health.begin(registrarName);
    this.#cluster.registrar.process.kill();
    const comeBack = (): void => {
      this.#cluster.startRegistrar();
      world.health.end(registrarName);
    };
    this.#later(this.#dice.chance(0.5) ? 0 : this.#dice.between(0, 1500), comeBack);
    return true;
  }

  #slow(): boolean {
    const { world } = this.#cluster;
    const { network, health } = world;
    const [a, b] = this.#way();
    const links = [network.link(a, b), network.link(b, a)];
    const way = Health.way(a, b);
    if (links.some((link) => link.cut) || health.isDisturbed(way)) return false;
    const latency = this.#dice.chance(0.6) ? this.#dice.between(20, 300) : world.scenario.latency;
    const bandwidth = latency === world.scenario.latency ? this.#dice.between(10, 200) : Number.POSITIVE_INFINITY;
    world.trace.note('slow', way, latency, bandwidth);
    health.begin(way);
    for (const link of links) Object.assign(link, { latency, bandwidth });
    this.#later(this.#dice.between(500, 4000), () => {
      for (const link of links) {
        Object.assign(link, { latency: world.scenario.latency, bandwidth: Number.POSITIVE_INFINITY });
      }
      health.end(way);
    });
    return true;
  }

  #lose(): boolean {
    const { world } = this.#cluster;
    const [a, b] = this.#way();
    const lossy = { way: Health.way(a, b), probability: this.#dice.between(0.05, 0.5) };
    world.trace.note('lose', lossy.way, lossy.probability * 1000);
    world.health.begin(lossy.way);
    this.#lossy.push(lossy);
    this.#later(this.#dice.between(500, 4000), () => {
      this.#lossy.splice(this.#lossy.indexOf(lossy), 1);
      world.health.end(lossy.way);
    });
    return true;
  }

  /** An element is replaced in order: its users are asked to go elsewhere. */
  #handOver(): boolean {
    const { world } = this.#cluster;
    const element = this.#aliveElement();
    if (element === undefined || element.process.state !== 'running' || !element.isRegistered) return false;
    world.trace.note('hand over', element.name);
    world.health.begin(element.name);
    this.#cluster.handOver(element);
    return true;
  }

  /** A user wishes to be elsewhere. */
  #failOver(): boolean {
    const open = this.#cluster.usingSessions.filter(
      ({ state, user }) => state === 'open' && user.process.state === 'running',
    );
    if (open.length === 0) return false;
    const session = this.#dice.pick(open);
    this.#cluster.world.trace.note('wishes to fail over', session.name);
    session.failOver();
    return true;
  }

  /** A connection breaks while both processes live: no reason to leave the element. */
  #sever(): boolean {
    const open = this.#cluster.usingSessions.filter(
      ({ state, user, stream }) => state === 'open' && user.process.state === 'running' && stream !== undefined,
    );
    if (open.length === 0) return false;
    const session = this.#dice.pick(open);
    this.#cluster.world.trace.note('sever', session.name);
    this.#cluster.world.health.touch(Health.connection(session.name));
    session.stream?.sever(this.#dice.chance(0.5) ? 'lost' : 'arrives');
    return true;
  }

  /** A connection is of no more use, and nobody is told. */
  #forget(): boolean {
    const { world, usingSessions, detection } = this.#cluster;
    if (world.scenario.mapping.pathInterval > shortPathInterval) return false;
    const open = usingSessions.filter(
      ({ state, user, stream, name }) =>
        state === 'open' && user.process.state === 'running' && stream !== undefined && !world.health.isDisturbed(name),
    );
    if (open.length === 0) return false;
    const session = this.#dice.pick(open);
    world.trace.note('forget', session.name);
    // Until it leaves its element.
    world.health.begin(session.name);
    session.stream?.forget();
    detection.watchForgotten(session);
    return true;
  }

  /** A user is killed, and another one begins on its machine. */
  #killUser(): boolean {
    const user = this.#dice.pick(this.#cluster.users);
    this.#cluster.world.trace.note('kill', user.name);
    this.#cluster.replaceUser(user);
    return true;
  }
}
