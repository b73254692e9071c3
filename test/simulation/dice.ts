/** Chance as the simulation uses it: everything is drawn from the seed. */

import { type Random, seededRandom } from '../../lib/random.js';

export class Dice {
  readonly random: Random;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A number from `least` (included) to `most` (not included). */
  between(least: number, most: number): number {
    return least + this.random.uniform() * (most - least);
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.random.uniform() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  /** One of them; the list must not be empty. */
  pick<Thing>(things: readonly Thing[]): Thing {
    return things[Math.floor(this.random.uniform() * things.length)] as Thing;
  }

  /** One of the names, each as probable as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.random.uniform() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names.at(-1) as Name;
  }

  /** A pause with the given mean, as between independent events. */
  pause(mean: number): number {
    return -Math.log(1 - this.random.uniform()) * mean;
  }
}
