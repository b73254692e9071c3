import test from 'ava';
import { createPickerState, TurnPicker } from '../../lib/policy/picker.js';
import { seededRandom } from '../../lib/random.js';
import type { PoolView } from '../../lib/session/candidates.js';
import { ElementSearch } from '../../lib/session/element-search.js';
import type { PoolAccess, PreparedCallbacks } from '../../lib/session/pool-access.js';
import { defaultUserSessionOptions } from '../../lib/session/user-session-options.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

const hello = { sessionId: new Uint8Array(16), failedOver: true, cookieFollows: false };
const attempt = { cancel() {} };

/** A search in a pool that answers when it is told to, and whose elements are prepared but never reached. */
class Searched {
  readonly network = new MemoryNetwork({ latency: 1, random: seededRandom(1) });
  readonly process = this.network.spawn('10.0.0.1');
  readonly questions: ((error: Error | undefined, pool: PoolView | undefined) => void)[] = [];
  readonly prepared: PreparedCallbacks[] = [];
  claims = 0;
  dials = 0;
  readonly search: ElementSearch;

  constructor() {
    const pool: PoolAccess = {
      poolHandle: 'echo',
      element: undefined,
      resolve: (_refresh, _timeout, callback) => void this.questions.push(callback),
      isSuspected: () => false,
      reportUnreachable() {},
      dial: () => {
        this.dials++;
        return attempt;
      },
      prepare: (_element, _hello, _timeout, callbacks) => {
        this.prepared.push(callbacks);
        return {
          isReached: true,
          claim: () => {
            this.claims++;
            return attempt;
          },
          drop() {},
        };
      },
    };
    this.search = new ElementSearch(pool, this.process.clock, seededRandom(1), defaultUserSessionOptions, {
      onReached() {
        throw new Error('nobody is reached');
      },
      onExhausted() {},
      hasSomethingToSend: () => true,
    });
  }

  /** The oldest question is answered. */
  answer(identifiers: readonly number[]): void {
    const elements = identifiers.map(
      (identifier): PoolElement => ({
        identifier,
        homeServerId: 0,
        registrationLife: 300,
        userTransport: { type: 'tcp', address: '10.0.0.2', port: 7 },
      }),
    );
    const resolvedAt = this.process.clock.now();
    this.questions.shift()?.(undefined, {
      picker: new TurnPicker(elements),
      state: createPickerState(),
      resolvedAt,
      spread() {},
    });
  }

  run(duration: number): void {
    const { time } = this.network;
    const until = time.now + duration;
    while (time.step(until));
    time.advanceTo(until);
  }
}

test('a search that pauses goes to an element that is prepared meanwhile, and does not begin again beside it', (t) => {
  const searched = new Searched();
  const { search } = searched;
  search.prepare(9, hello);
  const [asksToPrepare] = searched.questions.splice(0, 1);
  search.start(30_000, hello);
  searched.answer([]);
  t.is(searched.questions.length, 0, 'it pauses');
  searched.questions.push(asksToPrepare as (typeof searched.questions)[number]);
  searched.answer([1]);
  t.is(searched.prepared.length, 1);
  searched.prepared[0]?.onReached();
  t.is(searched.claims, 1);
  searched.run(5000);
  t.is(searched.questions.length, 0);
  t.is(searched.dials, 0);
  search.stop();
});
