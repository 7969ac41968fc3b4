/**
 * How long to wait before trying again: doubling from `baseMs` up to `maxMs`, then a random point in the upper half, so
 * that a thousand sidecars whose agent restarted do not return in one instant.
 */
import type { Chance } from './clock.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** `failures` counts from 1. */
export function backoffMs(failures: number, options: BackoffOptions, chance: Chance): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures - 1, 30));
  return ceiling / 2 + (chance() * ceiling) / 2;
}
