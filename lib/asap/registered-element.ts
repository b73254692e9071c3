/**
 * One pool element's registration (RFC 5352 sections 3.1 and 3.2): registers, registers again before the registration
 * life ends, at each new home server and after an expiry, and deregisters.
 */

import { checkMilliseconds } from '../arguments.js';
import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { encodeAsap } from '../wire/asap.js';
import type { DeregistrationResponse, Registration, RegistrationResponse } from '../wire/messages.js';
import type { MappingOffer, MemberSelectionPolicy, PoolElement, PoolHandle, Transport } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { HomeServer } from './home-server.js';
import { type AsapTimers, registrationLifeSeconds, reregistrationInterval } from './options.js';
import { noEnrpServer, refusalFacts } from './resolution.js';

/** What an element registers with; all of it may be changed by `update` except pool handle and identifier. */
export interface ElementAttributes {
  /** Where users reach it. The address 0.0.0.0 or :: asks our registrars to put in the one that they see (docs/mappings.md). */
  readonly userTransport: Transport;
  readonly policy?: MemberSelectionPolicy;
  readonly mappings?: readonly MappingOffer[];
  /** Where it accepts ASAP from registrars that it did not call. Default: the registrar records the connection's address. */
  readonly asapTransport?: Transport;
  /** Milliseconds, whole seconds on the wire; Infinity: for ever. Default: 300,000. */
  readonly registrationLife?: number;
}

export interface ElementDescription extends ElementAttributes {
  readonly poolHandle: PoolHandle;
  /** PE identifier. Default: chosen by chance (R2.2). */
  readonly identifier?: number;
}

/**
 * registering: the first registration is under way. registered. lost: it was registered, and no registrar confirms it
 * at present. rejected: refused although it was registered before; it tries again, ever less often, and `update` may help. deregistering. ended.
 */
export type RegistrationState = 'registering' | 'registered' | 'lost' | 'rejected' | 'deregistering' | 'ended';

/** What the owner of a registration is told; never from within a call to it. */
export interface RegistrationHandler {
  /** A registrar accepted it: the first time, at each renewal, at a new home server, after an expiry, with new attributes. */
  onRegistered(): void;
  /**
   * It is not registered, or not any more, and why: ERR_RSERPOOL_REGISTRATION_REJECTED (told once until it is accepted),
   * ERR_RSERPOOL_NO_ENRP_SERVER or ERR_RSERPOOL_REQUEST_TIMEOUT. `ended`: no further attempt is made; that is so
   * when it never was registered. Otherwise it goes on trying.
   */
  onFailed(error: Error, ended: boolean): void;
  /** A registrar removed it although it did not ask to be (its life ran out); it registers again by itself. */
  onExpired(): void;
}

const registered = diagnosticEvent<{ poolHandle: string; identifier: number; server: string }>('asap', 'registered');
const expired = diagnosticEvent<{ poolHandle: string; identifier: number }>('asap', 'registration-expired');
const rejected = diagnosticEvent<{ poolHandle: string; identifier: number; error: Error }>(
  'asap',
  'registration-rejected',
);

/** The registration life that elements have by default, in milliseconds. */
export const defaultRegistrationLife = 300_000;

export interface ElementSurroundings {
  readonly compatibility: 'rsplib' | undefined;
  readonly clock: Clock;
  readonly timers: AsapTimers;
  readonly home: HomeServer;
  /** The element has ended: nothing is to be sent to it any more. */
  onEnded(element: RegisteredElement): void;
}

export class RegisteredElement {
  readonly poolHandle: PoolHandle;
  readonly identifier: number;
  readonly #around: ElementSurroundings;
  readonly #handler: RegistrationHandler;
  #attributes: ElementAttributes;
  /** The attributes that a registrar accepted last. */
  #accepted: ElementAttributes | undefined;
  #state: RegistrationState = 'registering';
  /** New attributes are under way: their rejection leaves the accepted ones in force. */
  #updating = false;
  /** T2 while a registration is under way, T3 while a deregistration is, T4 in between. */
  #timer: Timer | undefined;
  /** Ends the first registration; in the foreground. */
  #deadline: Timer | undefined;
  /** Registrations that were left unanswered since the last success (MAX-REG-ATTEMPT). */
  #attempts = 0;
  /** Registrations sent and not answered: while there is a later one, an answer is about attributes of the past. */
  #unanswered = 0;
  /** The owner knows that no registrar can be reached: said once until the next success. */
  #toldOfLoss = false;
  #expiries = 0;
  /** In a row, of attributes that were accepted before. */
  #rejections = 0;
  #registeredAt = Number.NEGATIVE_INFINITY;
  /** Who asked for the deregistration that is under way. */
  readonly #onDeregistered: ((error: Error | undefined) => void)[] = [];

  /** Starts to register at once. Throws, and does nothing, for attributes that the wire cannot carry. */
  constructor(
    description: ElementDescription & { identifier: number },
    handler: RegistrationHandler,
    around: ElementSurroundings,
  ) {
    this.poolHandle = description.poolHandle;
    this.identifier = description.identifier;
    this.#attributes = description;
    this.#handler = handler;
    this.#around = around;
    this.#checkEncodable(description);
    const patience = around.timers.registrationTimeout * around.timers.maxRegistrationAttempts;
    this.#deadline = around.clock.setTimeout(() => this.#onFirstDeadline(), patience);
    this.#register();
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Whether it wants a home server: for the hunt. */
  get needsHome(): boolean {
    return this.#state !== 'ended';
  }

  /**
   * Registers again with new attributes, such as a policy's new load. A rejection leaves the former ones in force.
   * Throws, and changes nothing, for attributes that the wire cannot carry.
   */
  update(attributes: Partial<ElementAttributes>): void {
    if (this.#state === 'deregistering' || this.#state === 'ended') return;
    const updated = { ...this.#attributes, ...attributes };
    this.#checkEncodable(updated);
    this.#attributes = updated;
    this.#updating = this.#accepted !== undefined;
    if (this.#state === 'rejected') this.#state = this.#accepted === undefined ? 'registering' : 'lost';
    this.#attempts = 0;
    this.#register();
  }

  /**
   * Deregisters (D1 to D4). `callback` gets undefined when a registrar confirmed it, else why not: then the
   * registration ends by itself, with its connection or its life.
   */
  deregister(callback: (error: Error | undefined) => void): void {
    if (this.#state === 'ended') {
      this.#around.clock.defer(() => callback(undefined));
      return;
    }
    this.#onDeregistered.push(callback);
    if (this.#state === 'deregistering') return;
    const unknown = this.#accepted === undefined && this.#around.home.address === undefined;
    this.#state = 'deregistering';
    this.#attempts = 0;
    this.#deadline?.cancel();
    const { clock, timers } = this.#around;
    this.#deadline = clock.setTimeout(() => this.#onDeregistrationTimeout('final'), timers.deregistrationTimeout * 2);
    if (unknown) clock.defer(() => this.#end(undefined));
    else this.#deregister();
  }

  /** There is a new home server: it is told (sections 3.1 and 3.2, "after establishing a new Home ENRP server"). */
  onHome(): void {
    this.#unanswered = 0;
    if (this.#state === 'deregistering') this.#deregister();
    else if (this.needsHome) {
      if (this.#state === 'registered') this.#state = 'lost';
      this.#register();
    }
  }

  /** A round of the hunt found nobody. */
  onRoundFailed(failures: ReadonlyMap<string, Error>): void {
    // One that looks beside a home server that is still there is no news.
    if (this.#around.home.address !== undefined) return;
    if (this.#state === 'deregistering') {
      this.#end(noEnrpServer(failures, this.poolHandle));
      return;
    }
    if (this.#accepted === undefined || this.#state === 'rejected' || this.#toldOfLoss) return;
    this.#toldOfLoss = true;
    this.#state = 'lost';
    this.#handler.onFailed(noEnrpServer(failures, this.poolHandle), false);
  }

  onRegistrationResponse(response: RegistrationResponse, server: string): void {
    if (this.#state === 'deregistering' || !this.needsHome) return;
    this.#around.home.trust();
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (this.#unanswered > 0) return;
    if (response.rejected) this.#onRejected(response);
    else this.#onAccepted(server);
  }

  /** The answer to our deregistration, or the news that the registration life ran out (section 2.2.4). */
  onDeregistrationResponse(response: DeregistrationResponse): void {
    if (this.#state === 'deregistering') {
      this.#around.home.trust();
      if (response.errors.length === 0) this.#end(undefined);
      else this.#end(this.#refusal('ERR_RSERPOOL_DEREGISTRATION_REJECTED', response));
      return;
    }
    if (this.#state !== 'registered') return;
    if (expired.watched) expired.publish({ poolHandle: poolHandleText(this.poolHandle), identifier: this.identifier });
    const { clock, timers } = this.#around;
    // A registrar that removes it again and again must not make us send without end.
    const settled = clock.now() - this.#registeredAt >= timers.maxHuntBackoff;
    this.#expiries = settled ? 0 : this.#expiries + 1;
    this.#state = 'lost';
    if (this.#expiries === 0) this.#register();
    else
      this.#arm(
        () => this.#register(),
        Math.min(timers.huntBackoff * 2 ** (this.#expiries - 1), timers.maxHuntBackoff),
      );
    this.#handler.onExpired();
  }

  /** Ends without a word to the registrar. */
  abandon(error: Error | undefined): void {
    this.#end(error);
  }

  /** Now, while the caller is there to be told: the message itself may have to wait for a home server. */
  #checkEncodable(attributes: ElementAttributes): void {
    const { registrationLife } = attributes;
    if (registrationLife !== undefined) checkMilliseconds('registrationLife', registrationLife, 'orInfinity', 1);
    encodeAsap(this.#registration(attributes));
  }

  #registration(attributes: ElementAttributes): Registration {
    const { userTransport, policy, mappings, asapTransport, registrationLife } = attributes;
    const poolElement: PoolElement = {
      identifier: this.identifier,
      homeServerId: this.#around.home.serverId ?? 0,
      registrationLife: this.#lifeOnWire(registrationLife ?? defaultRegistrationLife),
      userTransport,
      ...(mappings === undefined ? undefined : { mappings }),
      ...(policy === undefined ? undefined : { policy }),
      ...(asapTransport === undefined ? undefined : { asapTransport }),
    };
    return { type: 'registration', poolHandle: this.poolHandle, poolElement };
  }

  /** The reference implementation counts in milliseconds, and knows no life without an end. */
  #lifeOnWire(life: number): number {
    return this.#around.compatibility === undefined ? registrationLifeSeconds(life) : Math.min(life, 0x7fffffff);
  }

  /** R2 to R4. */
  #register(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { home, timers } = this.#around;
    if (!home.send(this.#registration(this.#attributes))) return;
    this.#unanswered++;
    this.#arm(() => this.#onRegistrationTimeout(), timers.registrationTimeout);
  }

  /** T2 expired: another registrar is looked for, and this one asked again meanwhile. */
  #onRegistrationTimeout(): void {
    const { home, timers } = this.#around;
    this.#unanswered = 0;
    if (this.#state === 'registered') this.#state = 'lost';
    if (++this.#attempts >= timers.maxRegistrationAttempts) {
      this.#attempts = 0;
      const error = this.#timeoutError();
      if (this.#accepted === undefined) {
        this.#fail(error);
        return;
      }
      this.#handler.onFailed(error, false);
    }
    this.#register();
    home.seekAnother();
  }

  #onFirstDeadline(): void {
    const { home } = this.#around;
    this.#fail(home.address === undefined ? noEnrpServer(home.failures, this.poolHandle) : this.#timeoutError());
  }

  #onAccepted(server: string): void {
    const { clock, timers } = this.#around;
    this.#deadline?.cancel();
    this.#deadline = undefined;
    this.#state = 'registered';
    this.#accepted = this.#attributes;
    this.#rejections = 0;
    this.#toldOfLoss = false;
    this.#updating = false;
    this.#attempts = 0;
    this.#registeredAt = clock.now();
    const life = this.#attributes.registrationLife ?? defaultRegistrationLife;
    // The wire rounds up to seconds, and never below one.
    const whole = life === Number.POSITIVE_INFINITY ? life : registrationLifeSeconds(life) * 1000;
    this.#arm(() => this.#register(), reregistrationInterval(whole, timers.maxReregistrationInterval));
    if (registered.watched)
      registered.publish({ poolHandle: poolHandleText(this.poolHandle), identifier: this.identifier, server });
    this.#handler.onRegistered();
  }

  #onRejected(response: RegistrationResponse): void {
    const error = this.#refusal('ERR_RSERPOOL_REGISTRATION_REJECTED', response);
    const { poolHandle, identifier } = this;
    if (rejected.watched) rejected.publish({ poolHandle: poolHandleText(poolHandle), identifier, error });
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#accepted === undefined) {
      this.#fail(error);
      return;
    }
    if (this.#updating) {
      // What was accepted before is in force still, and is what T4 renews.
      this.#updating = false;
      this.#attributes = this.#accepted;
      this.#register();
    } else {
      this.#state = 'rejected';
      // It was welcome before. What is in its way now may go again: a registrar short of room, a pool held by strangers.
      const { huntBackoff, maxHuntTimeout } = this.#around.timers;
      this.#arm(() => this.#register(), Math.min(huntBackoff * 2 ** this.#rejections, maxHuntTimeout));
      if (++this.#rejections > 1) return;
    }
    this.#handler.onFailed(error, false);
  }

  #deregister(): void {
    this.#timer?.cancel();
    const { home, timers } = this.#around;
    const message = { type: 'deregistration', poolHandle: this.poolHandle, peIdentifier: this.identifier } as const;
    if (home.send(message)) this.#arm(() => this.#onDeregistrationTimeout('again'), timers.deregistrationTimeout);
  }

  /** T3 expired: once more, at another registrar if there is one; then it is left to its registration life. */
  #onDeregistrationTimeout(what: 'again' | 'final'): void {
    if (what === 'final') {
      this.#end(this.#timeoutError());
      return;
    }
    this.#deregister();
    this.#around.home.seekAnother();
  }

  #timeoutError(): RserpoolError {
    const facts = { poolHandle: poolHandleText(this.poolHandle), element: this.identifier, origin: 'remote' } as const;
    return new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', facts);
  }

  #refusal(
    code: 'ERR_RSERPOOL_REGISTRATION_REJECTED' | 'ERR_RSERPOOL_DEREGISTRATION_REJECTED',
    response: RegistrationResponse | DeregistrationResponse,
  ): RserpoolError {
    const facts = { poolHandle: poolHandleText(this.poolHandle), element: this.identifier, origin: 'remote' } as const;
    return new RserpoolError(code, { ...facts, ...refusalFacts(response.errors) });
  }

  /** The first registration failed for good. */
  #fail(error: Error): void {
    this.#end(undefined);
    this.#handler.onFailed(error, true);
  }

  #end(error: Error | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#timer?.cancel();
    this.#deadline?.cancel();
    this.#around.onEnded(this);
    for (const callback of this.#onDeregistered.splice(0)) callback(error);
  }

  #arm(run: () => void, delay: number): void {
    this.#timer?.cancel();
    this.#timer = this.#around.clock.setTimeout(run, delay, 'background');
  }
}
