/** Limits of a growing delay, ms. */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Delay before retry `failures` (from 1): doubled each time up to the maximum, then cut by up to half so that many do not come back at once. */
export function backoffDelay(
  failures: number,
  limits: BackoffLimits,
  random: () => number = Math.random,
): number {
  const whole = Math.min(limits.maxMs, limits.baseMs * 2 ** (failures - 1));
  return whole * (1 - random() / 2);
}
