/**
 * Watching elements (RFC 5352 sections 3.4 and 3.5): periodic keep-alives, immediate ones when an element is reported
 * unreachable, and the count of such reports.
 */

import { openAsapChannel } from '../asap/asap-channel.js';
import type { Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import { IndexedHeap } from '../policy/indexed-heap.js';
import type { TransportAddress } from '../transport/transport.js';
import type { PoolHandle } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { Probe, RegistrarConnection, ServedElement } from './connection.js';
import type { RegistrarSettings } from './options.js';

const missed = diagnosticEvent<{ poolHandle: string; identifier: number; reason: string }>(
  'registrar',
  'keep-alive-missed',
);
const reported = diagnosticEvent<{ poolHandle: string; identifier: number; reporters: number }>(
  'registrar',
  'unreachable-report',
);

export interface KeepAliveSurroundings {
  readonly settings: RegistrarSettings;
  /** The element does not answer, or too many cannot reach it: it is to be removed. */
  onUnreachable(element: ServedElement): void;
}

export class KeepAlives {
  readonly #around: KeepAliveSurroundings;
  /** The elements at rest by when their next keep-alive is due: one timer serves all, since there may be a million. */
  readonly #resting = new IndexedHeap<ServedElement>(setDuePlace, 'primary');
  /** The hosts that reported an element unreachable and when (RFC 5352 section 3.5); each counts once, however often it connects. */
  readonly #reporters = new WeakMap<ServedElement, Map<string, number>>();
  #timer: Timer | undefined;
  /** When the timer fires. */
  #timerAt = Number.POSITIVE_INFINITY;
  #sent = 0;
  #dialled = 0;

  constructor(around: KeepAliveSurroundings) {
    this.#around = around;
  }

  /** Keep-alives sent since the start. */
  get sent(): number {
    return this.#sent;
  }

  /** Begins to watch an element, or begins anew after it was heard of. */
  start(element: ServedElement): void {
    const { clock } = this.#around.settings;
    element.heardAt = Math.floor(clock.now());
    this.#rest(element);
  }

  stop(element: ServedElement): void {
    this.#still(element);
    element.watch = 'stopped';
  }

  /** Asks nobody any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.NEGATIVE_INFINITY;
  }

  /** An element acknowledged, on whatever connection. */
  onAck(element: ServedElement): void {
    if (element.watch === 'probing') this.start(element);
  }

  /** Somebody reports an element unreachable: it is asked at once, and removed when too many say so. */
  onReport(element: ServedElement, reporter: RegistrarConnection): void {
    const { clock, timers, limits } = this.#around.settings;
    const now = clock.now();
    const reporters = this.#reporters.get(element) ?? new Map<string, number>();
    this.#reporters.set(element, reporters);
    reporters.set(reporter.machine, now);
    for (const [host, at] of reporters) {
      if (now - at >= timers.reportLifetime) reporters.delete(host);
    }
    if (reported.watched) reported.publish({ ...nameOf(element.entry), reporters: reporters.size });
    if (reporters.size > limits.maxBadPeReports) {
      this.#fail(element, `reported by ${reporters.size} hosts`);
      return;
    }
    this.ask(element);
  }

  /** Asks an element at once, unless it acknowledged a moment ago, which is as good (RFC 5352 section 9.2, threat 9). */
  ask(element: ServedElement): void {
    const { clock, timers } = this.#around.settings;
    if (element.watch === 'idle' && clock.now() - element.heardAt >= timers.probeInterval) this.#probe(element);
  }

  /** Waits for the next keep-alive: the interval +-50 %, so that they spread. Elements of other servers are theirs to watch. */
  #rest(element: ServedElement): void {
    const { clock, random, timers, serverId } = this.#around.settings;
    this.#still(element);
    element.watch = 'idle';
    if (element.entry.owner !== serverId) return;
    this.#resting.push(element, clock.now() + timers.keepAliveInterval * (0.5 + random.uniform()), 0);
    this.#arm();
  }

  /** Ends what is under way with an element, and takes it out of its turn. */
  #still(element: ServedElement): void {
    if (element.duePlace !== -1) this.#resting.remove(element.duePlace);
    const { probe } = element;
    element.probe = undefined;
    probe?.timer.cancel();
    probe?.hangUp?.();
  }

  /** Sees to it that the timer fires when the first keep-alive is due; too early does no harm. */
  #arm(): void {
    const { clock } = this.#around.settings;
    if (this.#resting.size === 0) return;
    const due = this.#resting.primaryAt(0);
    if (due >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = due;
    this.#timer = clock.setTimeout(() => this.#probeDue(), Math.max(0, due - clock.now()), 'background');
  }

  #probeDue(): void {
    const now = this.#around.settings.clock.now();
    this.#timerAt = Number.POSITIVE_INFINITY;
    while (this.#resting.size > 0 && this.#resting.primaryAt(0) <= now) {
      this.#probe(this.#resting.least as ServedElement);
    }
    this.#arm();
  }

  #probe(element: ServedElement): void {
    const { limits } = this.#around.settings;
    const connected = element.connection?.channel.open === true;
    if (!connected && this.#dialled >= limits.maxDialledProbes) {
      this.#rest(element);
      return;
    }
    this.#still(element);
    element.watch = 'probing';
    const probe: Probe = { timer: this.#awaitAck(element), hangUp: undefined };
    element.probe = probe;
    this.#sent++;
    if (connected) element.connection?.send(this.#message(element.entry));
    else this.#dial(element, probe);
  }

  #awaitAck(element: ServedElement): Timer {
    const { clock, timers } = this.#around.settings;
    const due = clock.now() + timers.keepAliveTimeout;
    const onDue = (): void => {
      // A process that was frozen or busy runs its timers before it reads what has been waiting for it.
      clock.nextTurn(() => {
        const { probe } = element;
        if (probe?.timer !== timer) return;
        const late = clock.now() - due;
        // It was we who were away: the element has not had its time.
        if (late > timers.keepAliveTimeout / 2) probe.timer = this.#awaitAck(element);
        else this.#fail(element, 'no acknowledgement');
      });
    };
    const timer = clock.setTimeout(onDue, timers.keepAliveTimeout, 'background');
    return timer;
  }

  #message(entry: HandlespaceEntry): Parameters<RegistrarConnection['send']>[0] {
    const { serverId } = this.#around.settings;
    // Naming the element is the reference implementation's way to have several on one connection.
    return {
      type: 'endpointKeepAlive',
      home: false,
      serverId,
      poolHandle: entry.poolHandle,
      peIdentifier: entry.identifier,
    };
  }

  /** Asks at the address that the element advertised for ASAP: it has no connection to us. */
  #dial(element: ServedElement, probe: Probe): void {
    const { transport, clock, limits } = this.#around.settings;
    const target = asapTarget(element.entry);
    if (target === undefined) {
      clock.defer(() => this.#fail(element, 'no ASAP transport that can be dialled'));
      return;
    }
    this.#dialled++;
    let hangUpChannel: (() => void) | undefined;
    const attempt = transport.connect(target, {
      onOpen: (stream) => {
        const { channel } = openAsapChannel(
          stream,
          {
            onMessage: (message) => {
              const { poolHandle, identifier } = element.entry;
              if (message.type !== 'endpointKeepAliveAck' || element.watch !== 'probing') return;
              if (message.poolHandle === poolHandle && message.peIdentifier === identifier) this.start(element);
            },
            onClose: () => {
              if (element.watch === 'probing' && element.probe === probe)
                this.#fail(element, 'the probe connection closed');
            },
          },
          clock,
          limits,
        );
        channel.unref();
        const { handler } = stream;
        hangUpChannel = () => channel.close();
        channel.send(this.#message(element.entry));
        return handler;
      },
      onError: (error) => this.#fail(element, error.message),
    });
    probe.hangUp = () => {
      this.#dialled--;
      attempt.cancel();
      hangUpChannel?.();
    };
  }

  #fail(element: ServedElement, reason: string): void {
    if (element.watch === 'stopped') return;
    if (missed.watched) missed.publish({ ...nameOf(element.entry), reason });
    this.stop(element);
    this.#around.onUnreachable(element);
  }
}

function setDuePlace(element: ServedElement, place: number): void {
  element.duePlace = place;
}

function nameOf(entry: HandlespaceEntry): { poolHandle: string; identifier: number } {
  return { poolHandle: poolHandleText(entry.poolHandle), identifier: entry.identifier };
}

/** Where an element accepts ASAP. */
export function asapTarget(entry: HandlespaceEntry): TransportAddress | undefined {
  const { asapTransport, userTransport } = entry.element;
  if (asapTransport?.type === 'tcp') return { host: asapTransport.address, port: asapTransport.port };
  // An element with "data plus control" takes ASAP at its service port (RFC 5354 section 3.4).
  const transport = asapTransport ?? userTransport;
  const host = transport.type === 'sctp' ? transport.addresses[0] : undefined;
  if (transport.type !== 'sctp' || host === undefined) return undefined;
  return { host, port: transport.port, protocol: 'sctp' };
}

/** The pool handle and identifier of a message as one key. */
export function elementKey(poolHandle: PoolHandle, identifier: number): string {
  return `${identifier}/${poolHandle}`;
}
