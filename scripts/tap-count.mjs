/** Counts the results in a TAP stream (version 13, as AVA writes it), fed in pieces of any size. */
export class TapCount {
  #rest = '';
  #passed = 0;
  #failed = 0;

  /** Takes the next piece of the stream. */
  add(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#take(line);
  }

  /** Takes what remains and returns the sums. Skipped tests and those to be written are in neither. */
  end() {
    this.#take(this.#rest);
    this.#rest = '';
    return { passed: this.#passed, failed: this.#failed };
  }

  #take(line) {
    if (/^ok\b.* # (?:SKIP|TODO)\b/i.test(line)) return;
    // An expected failure is written `not ok ... # TODO`; AVA does not fail for it, and neither do we.
    if (/^not ok\b.* # TODO\b/i.test(line)) return;
    if (/^ok\b/.test(line)) this.#passed++;
    if (/^not ok\b/.test(line)) this.#failed++;
  }
}
