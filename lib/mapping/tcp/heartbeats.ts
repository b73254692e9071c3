/**
 * Heartbeats, round-trip times and leases of one connection.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                    Stamp (sender's microseconds)              |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |             Echo (the last stamp that came to the sender)     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |             Age (microseconds since that stamp came)          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |             Patience (microseconds; a user's lease)           |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The lease is what keeps a thawed element from executing what others have since answered: with each heartbeat the
 * user promises not to give the element up for `Patience`. The element counts that from its own stamp that the user
 * echoes, so no clocks are compared, and hands messages on only while a lease lasts; else it asks first.
 */

import type { Clock, Timer } from '../../clock.js';
import type { FarProcess, ProcessMember } from './far-process.js';
import { frameType, heartbeatFlag, heartbeatLength } from './frame.js';
import { Liveness, type LivenessOptions, RoundTrip } from './liveness.js';
import type { FrameWriter } from './writer.js';

export interface HeartbeatOwner {
  /** A frame was written that should leave at the end of this tick. */
  scheduleFlush(): void;
  /** The far side has been silent for too long. */
  onSilent(): void;
}

const wrap = 0x1_0000_0000;

export class Heartbeats implements ProcessMember {
  readonly #clock: Clock;
  readonly #writer: FrameWriter;
  readonly #owner: HeartbeatOwner;
  readonly #roundTrip = new RoundTrip();
  readonly #failureTimeout: number;
  #liveness: Liveness;
  /** Whether we ask; a side that does not only listens and answers. */
  #asking = false;
  #peerStamp = 0;
  #peerStampAt: number | undefined;
  #lastWritten = Number.NEGATIVE_INFINITY;
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #timerDue = 0;
  /** The timer has fired late, and the sockets have not been read since. */
  #wasLate = false;
  #stopped = false;
  /** When anything arrived last. */
  #heardAt: number;
  #waiting = true;
  /** Messages went since the timer was set. */
  #sending = false;
  /** The flags of a heartbeat that is to leave with the next flush. */
  #owed: number | undefined;
  /** A side that does not ask gives a sign of life this often (ms) while it is sent to. */
  #signInterval = Number.POSITIVE_INFINITY;
  /** What all connections with the far process know of it. */
  #process: FarProcess | undefined;

  constructor(clock: Clock, writer: FrameWriter, options: LivenessOptions, owner: HeartbeatOwner) {
    this.#clock = clock;
    this.#writer = writer;
    this.#owner = owner;
    this.#failureTimeout = options.failureTimeout;
    const now = clock.now();
    this.#heardAt = now;
    this.#liveness = new Liveness(options, now);
    this.#liveness.wait(true, now);
    this.#schedule(now);
  }

  get rtt(): number | undefined {
    return this.#roundTrip.rtt;
  }

  get rto(): number | undefined {
    return this.#roundTrip.rto;
  }

  /** Whether our own timer should have fired: this process was stopped, or busy, and has not read its sockets since. */
  get isOverdue(): boolean {
    if (this.#wasLate || this.#process?.isOverdue === true) return true;
    return this.#timer !== undefined && this.#clock.now() > this.#timerDue + 1;
  }

  /** Our clock in microseconds, modulo 2^32. */
  get stamp(): number {
    return Math.floor(this.#clock.now() * 1000) % wrap;
  }

  /** Anything arrived. */
  heard(): void {
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#liveness.heard(now);
    // A question may be stuck behind what it waits for: over a slow link, only this tells the user that we live.
    if (now - this.#lastWritten >= this.#signInterval) this.#owe(0);
  }

  /** A message came, with what was heard last. */
  arrived(): void {
    if (this.#liveness.traffic(this.#heardAt)) this.#schedule(this.#heardAt);
  }

  /** A message is about to go: counts from the next `wait` on, which follows at the end of the tick. */
  sending(): void {
    this.#sending = true;
  }

  /** Whether something waits for the far side. */
  wait(waiting: boolean): void {
    if (waiting === this.#waiting && !this.#sending) return;
    const now = this.#clock.now();
    this.#waiting = waiting;
    this.#liveness.wait(waiting, now);
    if (this.#sending) this.#liveness.traffic(now);
    this.#sending = false;
    this.#schedule(now);
  }

  /** The far side's hello came. */
  greeted(stamp: number): void {
    this.#peerStamp = stamp;
    this.#peerStampAt = this.#clock.now();
  }

  /** Both sides have said hello, and one that stood by is needed; from now on we ask, if it is ours to ask. */
  open(hello: { readonly failureTimeout: number }, asking: boolean): void {
    const now = this.#clock.now();
    this.#asking = asking;
    if (!asking) this.#signInterval = hello.failureTimeout / 4;
    this.#liveness.heard(now);
    this.#schedule(now);
  }

  /** From now on the far process counts as alive while other connections with it know so; see Liveness.share. */
  share(process: FarProcess, pathTimeout: number): void {
    this.#process = process;
    this.#liveness.share(process, pathTimeout);
  }

  judgeAlone(): void {
    this.#process = undefined;
    this.#liveness.unshare();
    this.#judge();
  }

  /** From now on, silence of `timeout` ms is too long. */
  allow(timeout: number): void {
    const now = this.#clock.now();
    this.#leave();
    this.#liveness = new Liveness({ failureTimeout: timeout, heartbeatInterval: timeout / 3 }, now);
    this.#waiting = true;
    this.#liveness.wait(true, now);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#schedule(now);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#leave();
  }

  /** Asks the far side for a sign of life (and a user for a lease). */
  ask(): void {
    const now = this.#clock.now();
    this.#liveness.asked(now);
    this.#owe(heartbeatFlag.answerWanted);
    this.#schedule(now);
  }

  /** Writes the heartbeat that is owed: one for all since the last, so that a flood of questions is not a flood of answers. */
  writeOwed(): void {
    if (this.#owed !== undefined) this.#write(this.#owed);
  }

  /** A user tells its element how long it stays with it, unless it did so a quarter of the failure time-out ago or less. */
  renewLease(): void {
    if (this.#asking && this.#clock.now() - this.#lastWritten >= this.#failureTimeout / 4) this.#write(this.#owed ?? 0);
  }

  /** Whether our user has surely not gone elsewhere. */
  get isLeased(): boolean {
    return this.#clock.now() < this.#leaseUntil;
  }

  /** A heartbeat frame of the right length came. */
  onFrame(flags: number, view: DataView, body: number): void {
    const now = this.#clock.now();
    this.#peerStamp = view.getUint32(body);
    this.#peerStampAt = now;
    if ((flags & heartbeatFlag.echoValid) !== 0) {
      const age = view.getUint32(body + 8) / 1000;
      // How long ago we wrote the stamp that comes back, modulo 2^32 microseconds, which is 71 minutes.
      const ago = ((this.stamp - view.getUint32(body + 4)) >>> 0) / 1000;
      if (age <= ago) {
        this.#roundTrip.sample(ago - age);
        // It wrote this no earlier than that, however long it was on its way.
        this.#process?.prove(now - ago + age);
        this.#leaseUntil = Math.max(this.#leaseUntil, now - ago + age + view.getUint32(body + 12) / 1000);
      }
    }
    if ((flags & heartbeatFlag.answerWanted) !== 0) this.#owe(0);
  }

  #owe(flags: number): void {
    this.#owed = (this.#owed ?? 0) | flags;
    this.#owner.scheduleFlush();
  }

  #write(flags: number): void {
    this.#owed = undefined;
    const now = this.#clock.now();
    const echo = this.#peerStampAt;
    const at = this.#writer.frame(
      frameType.heartbeat,
      flags | (echo === undefined ? 0 : heartbeatFlag.echoValid),
      0,
      heartbeatLength,
    );
    const view = this.#writer.view;
    view.setUint32(at, this.stamp);
    view.setUint32(at + 4, this.#peerStamp);
    view.setUint32(at + 8, echo === undefined ? 0 : Math.min(wrap - 1, Math.floor((now - echo) * 1000)));
    view.setUint32(at + 12, Math.min(wrap - 1, Math.floor(this.#liveness.patience(now) * 1000)));
    this.#lastWritten = now;
  }

  #leave(): void {
    this.#process?.leave(this);
    this.#process = undefined;
  }

  #schedule(now: number): void {
    if (this.#stopped) return;
    const deadline = this.#liveness.ownDeadline(now);
    const due = this.#asking ? Math.min(deadline, this.#liveness.nextQuestion(now)) : deadline;
    if (due === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== undefined) {
      // A timer that fires early finds out that there is nothing to do yet: cheaper than moving it with every frame.
      if (this.#timerDue <= due) return;
      this.#timer.cancel();
    }
    // What has become due by others' silence is not late.
    this.#timerDue = Math.max(now, due);
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), due - now, 'background');
  }

  #judge(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    if (now >= this.#liveness.ownDeadline(now)) this.#owner.onSilent();
    else this.#schedule(now);
  }

  #onTimer(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    if (this.#liveness.isLate(now, this.#timerDue)) {
      this.#wasLate = true;
      this.#clock.nextTurn(() => {
        this.#wasLate = false;
      });
      // What the far side said meanwhile waits to be read: it is not to be blamed for our own stop.
      this.#liveness.excuse(now);
      if (this.#asking) this.ask();
    } else if (now >= this.#liveness.ownDeadline(now)) {
      // What has arrived is read before anybody is blamed: we may have been stopped for a time too short to be noticed.
      this.#clock.nextTurn(() => this.#judge());
      return;
    } else if (this.#asking && now >= this.#liveness.nextQuestion(now)) {
      this.ask();
    }
    this.#schedule(now);
  }
}
