/** What each command of `rserpool` is. */
export interface Command {
  /** Its name and options on one line. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What `rserpool help COMMAND` prints. */
  readonly help: string;
  /** Runs with the words after its name; resolves to the exit code, rejects with what went wrong. */
  run(words: readonly string[]): Promise<number>;
}
