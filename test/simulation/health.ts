/** Which machines, processes and ways between them were disturbed, and until when: what explains a failover. */

export class Health {
  readonly #now: () => number;
  /** How many faults are in effect. */
  readonly #active = new Map<string, number>();
  /** When the last fault that is over ended. */
  readonly #until = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The name of the way between two machines. */
  static way(a: string, b: string): string {
    return a < b ? `${a}~${b}` : `${b}~${a}`;
  }

  /** The connection of a session: its element and the way there may be well. */
  static connection(session: string): string {
    return `${session} connection`;
  }

  begin(name: string): void {
    this.#active.set(name, (this.#active.get(name) ?? 0) + 1);
  }

  end(name: string): void {
    this.#active.set(name, (this.#active.get(name) ?? 0) - 1);
    this.#until.set(name, this.#now());
  }

  /** A disturbance of an instant. */
  touch(name: string): void {
    this.#until.set(name, this.#now());
  }

  isDisturbed(name: string): boolean {
    return (this.#active.get(name) ?? 0) > 0;
  }

  /** Whether any of them was disturbed at some time since `instant`. */
  wasDisturbed(instant: number, ...names: readonly string[]): boolean {
    return names.some(
      (name) => this.isDisturbed(name) || (this.#until.get(name) ?? Number.NEGATIVE_INFINITY) >= instant,
    );
  }
}
