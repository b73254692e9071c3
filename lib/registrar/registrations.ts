/**
 * Registration, deregistration and the end of registrations (RFC 5352 sections 3.1, 3.2 and 3.5): which element came
 * over which connection, and what becomes of it when that breaks, falls silent or lets its registration life run out.
 */

import type { Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import type { ChangeReason, HandlespaceChange } from '../handlespace/change.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { Rejection } from '../handlespace/rejection.js';
import type { Deregistration, EndpointKeepAliveAck, EndpointUnreachable, Registration } from '../wire/messages.js';
import { causeName, errorCause, inconsistentPoolPolicy, inconsistentTransportType } from '../wire/operation-error.js';
import { compose } from '../wire/parameter-writer.js';
import { causeCode, type ErrorCause, type PoolElement, type PoolHandle, type Transport } from '../wire/parameters.js';
import { writePoolElement } from '../wire/pool-element.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { RegistrarConnection, ServedElement } from './connection.js';
import { completeElement, elementAddresses, hasForeignAddress, isLoopback } from './element-addresses.js';
import { KeepAlives } from './keep-alives.js';
import type { RegistrarSettings } from './options.js';

/** A refused registration: for the event and the diagnostics. */
export interface RejectedRegistration {
  readonly poolHandle: string;
  readonly identifier: number;
  readonly host: string;
  readonly causes: readonly string[];
}

const rejectedEvent = diagnosticEvent<RejectedRegistration>('registrar', 'registration-rejected');

export interface RegistrationsSurroundings {
  readonly settings: RegistrarSettings;
  readonly handlespace: Handlespace;
  onRejected(rejected: RejectedRegistration): void;
}

/** Elements that are told when they are removed without having asked for it. */
const toldOnRemoval: ReadonlySet<ChangeReason> = new Set([
  'expiry',
  'unreachable',
  'administration',
  'handleUpdate',
  'handleTable',
]);

/** Long before any clock began; a small integer, since V8 keeps others in objects of their own. */
const never = -0x40000000;

export class Registrations {
  readonly #around: RegistrationsSurroundings;
  readonly #keepAlives: KeepAlives;
  readonly #removals = new Map<ServedElement, Timer>();
  #expiryTimer: Timer | undefined;
  #expiryAt = Number.POSITIVE_INFINITY;
  #closed = false;
  #accepted = 0;
  #rejected = 0;

  constructor(around: RegistrationsSurroundings) {
    this.#around = around;
    this.#keepAlives = new KeepAlives({
      settings: around.settings,
      onUnreachable: ({ entry }) => around.handlespace.remove(entry.poolHandle, entry.identifier, 'unreachable'),
    });
  }

  /** Registrations accepted and rejected, and keep-alives sent, since the start. */
  get counts(): { readonly accepted: number; readonly rejected: number; readonly keepAlives: number } {
    return { accepted: this.#accepted, rejected: this.#rejected, keepAlives: this.#keepAlives.sent };
  }

  register(connection: RegistrarConnection, message: Registration, size: number): void {
    const { poolHandle } = message;
    const { host, remoteAddress } = connection;
    const element = completeElement(message.poolElement, this.#around.settings.serverId, host, remoteAddress);
    const { identifier } = element;
    const cause =
      this.#objection(connection, poolHandle, element, size) ?? this.#store(connection, poolHandle, element);
    const type = 'registrationResponse';
    if (cause === undefined) {
      this.#accepted++;
      connection.send({ type, rejected: false, poolHandle, peIdentifier: identifier, errors: [] });
      return;
    }
    this.#rejected++;
    const causes = [causeName(cause.code)];
    const rejected = { poolHandle: poolHandleText(poolHandle), identifier, host: connection.host, causes };
    if (rejectedEvent.watched) rejectedEvent.publish(rejected);
    connection.send({ type, rejected: true, poolHandle, peIdentifier: identifier, errors: [cause] });
    this.#around.onRejected(rejected);
  }

  /** Removes an element for itself only: it must ask over its connection, or from one of its addresses (section 2.2.2). */
  deregister(connection: RegistrarConnection, message: Deregistration): void {
    const { handlespace, settings } = this.#around;
    const { poolHandle, peIdentifier } = message;
    const entry = handlespace.entry(poolHandle, peIdentifier);
    const refused = !connection.trusted || (entry !== undefined && !this.#isItself(entry, connection));
    const errors = refused ? [errorCause(causeCode.rejectedDueToSecurity)] : [];
    if (!refused) {
      // Peers heed removals by the element's home alone, which is here from now on, if only for this.
      if (entry !== undefined && entry.owner !== settings.serverId) {
        handlespace.register(poolHandle, entry.element, { now: settings.clock.now(), owner: settings.serverId });
      }
      handlespace.remove(poolHandle, peIdentifier, 'deregistration');
    }
    connection.send({ type: 'deregistrationResponse', poolHandle, peIdentifier, errors });
  }

  onKeepAliveAck(message: EndpointKeepAliveAck, connection: RegistrarConnection): void {
    const element = this.#servedAs(message.poolHandle, message.peIdentifier);
    // Nobody acknowledges for another.
    if (element?.connection === connection) this.#keepAlives.onAck(element);
  }

  onUnreachable(message: EndpointUnreachable, reporter: RegistrarConnection): void {
    const entry = this.#around.handlespace.entry(message.poolHandle, message.peIdentifier);
    if (entry !== undefined && reporter.trusted) this.#keepAlives.onReport(this.serve(entry), reporter);
  }

  /** A connection is gone: its elements leave the answers at once, and the handlespace unless they come back soon. */
  forget(connection: RegistrarConnection): void {
    const { handlespace, settings } = this.#around;
    for (const element of [...connection.elements]) {
      this.#detach(element);
      handlespace.suspend(element.entry.poolHandle, element.entry.identifier);
      const remove = (): void => this.#removeBroken(element);
      this.#removals.get(element)?.cancel();
      this.#removals.set(element, settings.clock.setTimeout(remove, settings.timers.removalDelay, 'background'));
    }
  }

  /** Keeps what belongs to an entry in step with the handlespace, whoever changed it. */
  onChange(change: HandlespaceChange): void {
    const { poolHandle, identifier } = change.entry;
    const element = servedOf(change.entry);
    if (change.type !== 'removed') {
      this.#armExpiry();
      // It has another home now, which watches it.
      if (element?.connection !== undefined && element.entry.owner !== this.#around.settings.serverId)
        this.#handOver(element);
      return;
    }
    if (element === undefined) return;
    change.entry.companion = undefined;
    this.#keepAlives.stop(element);
    this.#removals.get(element)?.cancel();
    this.#removals.delete(element);
    element.connection?.elements.delete(element);
    if (!toldOnRemoval.has(change.reason)) return;
    // Section 2.2.4; an element that lives hears of it and registers again.
    element.connection?.send({ type: 'deregistrationResponse', poolHandle, peIdentifier: identifier, errors: [] });
  }

  /** What this registrar keeps about an element of its handlespace; made when first asked for. */
  serve(entry: HandlespaceEntry): ServedElement {
    const present = servedOf(entry);
    if (present !== undefined) return present;
    const element: ServedElement = {
      entry,
      connection: undefined,
      listPlace: -1,
      watch: 'idle',
      duePlace: -1,
      probe: undefined,
      heardAt: never,
    };
    entry.companion = element;
    return element;
  }

  #servedAs(poolHandle: PoolHandle, identifier: number): ServedElement | undefined {
    const entry = this.#around.handlespace.entry(poolHandle, identifier);
    return entry && servedOf(entry);
  }

  /** Whether an element has a connection to us that is open. */
  isConnected(entry: HandlespaceEntry): boolean {
    return servedOf(entry)?.connection?.channel.open === true;
  }

  /** An element of ours acknowledged a keep-alive over a connection that we dialled: it is served over that one now. */
  adopt(entry: HandlespaceEntry, connection: RegistrarConnection): void {
    const element = this.serve(entry);
    element.connection?.elements.delete(element);
    element.connection = connection;
    connection.elements.add(element);
    this.#keepAlives.start(element);
  }

  /** Asks an element at once whether it is there, and removes it if it does not answer. */
  verify(entry: HandlespaceEntry): void {
    this.#keepAlives.ask(this.serve(entry));
  }

  close(): void {
    this.#closed = true;
    this.#expiryTimer?.cancel();
    this.#keepAlives.close();
    for (const timer of this.#removals.values()) timer.cancel();
    for (const pool of this.#around.handlespace.pools()) {
      for (const entry of pool.entries()) {
        const element = servedOf(entry);
        if (element !== undefined) this.#keepAlives.stop(element);
        entry.companion = undefined;
      }
    }
    this.#removals.clear();
  }

  /**
   * A peer says that it is the home of an element that has a connection to us. It has left us, then, and does not
   * listen here any more; if it has not, it hears that its registration ended, and registers again.
   */
  #handOver(element: ServedElement): void {
    const { poolHandle, identifier } = element.entry;
    element.connection?.send({ type: 'deregistrationResponse', poolHandle, peIdentifier: identifier, errors: [] });
    this.#detach(element);
  }

  /** Parts an element from its connection and stops watching it. */
  #detach(element: ServedElement): void {
    element.connection?.elements.delete(element);
    element.connection = undefined;
    this.#keepAlives.stop(element);
    element.watch = 'idle';
  }

  /** The time to register again is over. If it did so elsewhere, it is another server's now. */
  #removeBroken(element: ServedElement): void {
    const { handlespace, settings } = this.#around;
    const { poolHandle, identifier, owner } = element.entry;
    this.#removals.delete(element);
    if (owner === settings.serverId) handlespace.remove(poolHandle, identifier, 'connectionBroken');
    else handlespace.resume(poolHandle, identifier);
  }

  /** Reasons of our own to refuse a registration (rule 5). */
  #objection(
    connection: RegistrarConnection,
    poolHandle: PoolHandle,
    element: PoolElement,
    size: number,
  ): ErrorCause | undefined {
    const { limits, acceptForeignAddresses } = this.#around.settings;
    // RFC 5355 section 2.15: with security for some there is security for all.
    if (!connection.trusted) return errorCause(causeCode.rejectedDueToSecurity);
    if (size > limits.maxRegistrationSize) return errorCause(causeCode.lackOfResources);
    if (element.registrationLife < -1 || element.registrationLife === 0) {
      return { code: causeCode.invalidValues, information: compose((writer) => writePoolElement(writer, element)) };
    }
    if (!acceptForeignAddresses && !isLoopback(connection.host) && hasForeignAddress(element, connection.hosts)) {
      return errorCause(causeCode.rejectedDueToSecurity);
    }
    if (connection.elements.size < limits.maxElementsPerConnection) return undefined;
    const known = this.#servedAs(poolHandle, element.identifier)?.connection === connection;
    return known ? undefined : errorCause(causeCode.lackOfResources);
  }

  /** Rules 1 to 4. */
  #store(connection: RegistrarConnection, poolHandle: PoolHandle, element: PoolElement): ErrorCause | undefined {
    const { handlespace, settings } = this.#around;
    const holder = this.#servedAs(poolHandle, element.identifier);
    const result = handlespace.register(poolHandle, element, {
      now: settings.clock.now(),
      owner: settings.serverId,
      exclusive: holder !== undefined && this.#isAnother(holder, connection, element),
    });
    if (result.type === 'rejected') return rejectionCause(result.rejection);
    const served = this.serve(result.entry);
    if (this.#removals.size > 0) {
      this.#removals.get(served)?.cancel();
      this.#removals.delete(served);
    }
    const present = served.connection;
    // What the network held back may arrive over a connection that the element has given up: its latest one counts.
    const latest = present?.channel.open === true && present.sequence > connection.sequence ? present : connection;
    if (present !== latest) {
      present?.elements.delete(served);
      served.connection = latest;
      latest.elements.add(served);
    }
    this.#keepAlives.start(served);
    return undefined;
  }

  /**
   * Whether the identifier is held by another element: one whose connection is open and that is reached elsewhere. An
   * element that comes over a new connection, while we have not noticed the end of the old one, is reached as before.
   */
  #isAnother(holder: ServedElement, connection: RegistrarConnection, element: PoolElement): boolean {
    if (holder.connection === undefined || holder.connection === connection || !holder.connection.channel.open)
      return false;
    return placeOf(holder.entry.element.userTransport) !== placeOf(element.userTransport);
  }

  #isItself(entry: HandlespaceEntry, connection: RegistrarConnection): boolean {
    const holder = servedOf(entry)?.connection;
    if (holder === connection || holder?.host === connection.host) return true;
    return elementAddresses(entry.element).includes(connection.host);
  }

  #armExpiry(): void {
    const { handlespace, settings } = this.#around;
    const next = handlespace.nextExpiry();
    if (next === this.#expiryAt) return;
    this.#expiryTimer?.cancel();
    this.#expiryTimer = undefined;
    this.#expiryAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    const { clock } = settings;
    const delay = Math.max(0, next - clock.now());
    // After what is waiting to be read: renewals, if this process was frozen or busy.
    const onDue = (): void => clock.nextTurn(() => this.#expire());
    this.#expiryTimer = clock.setTimeout(onDue, delay, 'background');
  }

  #expire(): void {
    const { handlespace, settings } = this.#around;
    if (this.#closed) return;
    this.#expiryTimer?.cancel();
    this.#expiryAt = Number.POSITIVE_INFINITY;
    handlespace.expire(settings.clock.now());
    this.#armExpiry();
  }
}

/** What is kept about an element of the handlespace: nobody else has companions for its entries. */
function servedOf(entry: HandlespaceEntry): ServedElement | undefined {
  return entry.companion as ServedElement | undefined;
}

/** Address and port at which users reach an element, for comparison. */
function placeOf(transport: Transport): string {
  if (transport.type === 'opaque') return Buffer.from(transport.data).toString('hex');
  const addresses = transport.type === 'sctp' ? [...transport.addresses].sort().join() : transport.address;
  return `${transport.type}/${addresses}/${transport.port}`;
}

/** The Error Cause that tells a rejection (RFC 5354 sections 3.12.5 to 3.12.9). */
export function rejectionCause(rejection: Rejection): ErrorCause {
  switch (rejection.type) {
    case 'nonUniquePeIdentifier':
      return errorCause(causeCode.nonUniquePeIdentifier);
    case 'inconsistentPoolPolicy':
      return inconsistentPoolPolicy(rejection.policy);
    case 'inconsistentTransportType':
      return inconsistentTransportType(rejection.transport);
    case 'inconsistentDataControlConfiguration':
      return errorCause(causeCode.inconsistentDataControlConfiguration);
    case 'lackOfResources':
      return errorCause(causeCode.lackOfResources);
  }
}
