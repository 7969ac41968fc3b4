/**
 * When an agent asks for its next leaf. Agents start together and would renew together, so every instant is drawn from a
 * window:
 *
 *     issued |-------------------- 60 % ======= any time here ======= 90 % ---| expires
 *
 * Pure: time and chance are arguments; `random()` is in [0, 1).
 */
export interface Lifetime {
  readonly validAfterMs: number;
  readonly validBeforeMs: number;
}

const windowStart = 0.6;
const windowEnd = 0.9;
/** New leaves after a rotation are spread over this; so are retries of a refused request. */
const spreadMs = 30_000;

/** The instant to renew at: in the window, in what is left of it, or now when it has passed. */
export function renewalAt(leaf: Lifetime, nowMs: number, random: () => number): number {
  const lifetimeMs = leaf.validBeforeMs - leaf.validAfterMs;
  const startMs = Math.max(leaf.validAfterMs + windowStart * lifetimeMs, nowMs);
  const endMs = leaf.validAfterMs + windowEnd * lifetimeMs;
  return endMs <= nowMs ? nowMs : startMs + random() * (endMs - startMs);
}

/** The instant to renew at after the signing key changed, unless the leaf's own time comes first. */
export function rootChangeAt(nowMs: number, random: () => number): number {
  return nowMs + random() * spreadMs;
}

/**
 * The instant to try again at after `failures` (1 or more) refusals in a row, the first at `firstRefusedMs`: somewhere in the
 * window of that number, so that those refused together do not come back together.
 */
export function retryAt(firstRefusedMs: number, failures: number, random: () => number): number {
  return firstRefusedMs + (failures + random()) * spreadMs;
}
