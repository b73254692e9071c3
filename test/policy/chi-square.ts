/** Pearson's chi-square test: how likely such a difference between counts and expectation is by chance alone. */

export function chiSquareProbability(observed: readonly number[], shares: readonly number[]): number {
  const draws = observed.reduce((sum, count) => sum + count, 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  let statistic = 0;
  for (const [index, count] of observed.entries()) {
    const expected = (draws * (shares[index] as number)) / whole;
    if (expected < 5) throw new Error(`expected only ${expected}: too few for the test`);
    statistic += (count - expected) ** 2 / expected;
  }
  return upperGamma((observed.length - 1) / 2, statistic / 2);
}

/** The regularised upper incomplete gamma function Q(a, x), by its series or its continued fraction. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; term > sum * 1e-15; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  // Lentz's method.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10_000; n++) {
    const factor = n * (a - n);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** Stirling's series; small arguments are raised first. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}
