/**
 * Seeds that once failed, and why. What a seed does changes with the simulation, so a bug found is also planted again
 * (scripts/planted.mjs): that any seed finds it is what keeps it away.
 */

export interface Regression {
  readonly seed: number;
  readonly bug: string;
}

export const regressions: readonly Regression[] = [
  { seed: 1, bug: 'the magic was written into the slab that its reservation had just replaced' },
  { seed: 10, bug: 'what was sent while a failover callback had promised overtook what it held back' },
  { seed: 13, bug: 'a session without an element waited for a silent registrar, though it knew other elements' },
  { seed: 2399, bug: 'an answer of the registrar that came after the search was over was forgotten' },
  { seed: 1436, bug: 'a search that paused dialled again beside the element that was prepared meanwhile' },
];
