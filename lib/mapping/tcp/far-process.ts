/** The process at the far side of several connections, and what each of them has to do with it. */

export interface FarProcess {
  /** The latest instant (ms of our clock) at which it is known to have run. */
  readonly aliveAt: number;
  /** Whether a timer should have fired that looks after it: this process was stopped, and has not read its sockets since. */
  readonly isOverdue: boolean;
  /** It ran at that instant. */
  prove(at: number): void;
  leave(member: ProcessMember): void;
}

/** The heartbeats of a connection with it. */
export interface ProcessMember {
  /** From now on the process counts as alive while others know so; see Liveness.share. */
  share(process: FarProcess, pathTimeout: number): void;
  /** Asks by this connection: its own answer must come within the failure time-out. */
  ask(): void;
  /** Nothing was heard of the process for too long: from now on what this connection itself has heard counts. */
  judgeAlone(): void;
}
