/** What happened, as a hash (FNV-1a, 32 bits) that two runs of one seed must share, and for people to read if wanted. */

const prime = 0x01000193;

export class Trace {
  #hash = 0x811c9dc5;
  #events = 0;
  readonly #print: ((line: string) => void) | undefined;
  readonly #now: () => number;

  constructor(now: () => number, print: ((line: string) => void) | undefined) {
    this.#now = now;
    this.#print = print;
  }

  /** Eight hexadecimal digits. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get events(): number {
    return this.#events;
  }

  /** Something happened to `subject`; the numbers say what exactly. */
  note(event: string, subject: string, a = 0, b = 0): void {
    this.#events++;
    const now = this.#now();
    let hash = this.#hash;
    for (let i = 0; i < event.length; i++) hash = Math.imul(hash ^ event.charCodeAt(i), prime);
    for (let i = 0; i < subject.length; i++) hash = Math.imul(hash ^ subject.charCodeAt(i), prime);
    hash = Math.imul(hash ^ (now * 1000), prime);
    hash = Math.imul(hash ^ a, prime);
    this.#hash = Math.imul(hash ^ b, prime);
    if (this.#print !== undefined) this.#print(`${now.toFixed(3).padStart(11)} ${subject} ${event} ${a} ${b}`);
  }
}
