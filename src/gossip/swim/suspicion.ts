/**
 * How long a suspect may take to refute (SWIM §4.2; Lifeguard §IV-B). Without confirmation the time is long, since the
 * accuser may be the sick one; each further independent accuser shortens it, on a logarithmic scale, down to a minimum
 * that grows with the size of the pool as gossip needs longer to reach everybody.
 */
import type { Incarnation } from './types.ts';

export interface SuspicionBounds {
  readonly minMs: number;
  readonly maxMs: number;
  /** Accusers beyond the first that bring the time down to the minimum; 0 in pools too small to have them. */
  readonly confirmationsWanted: number;
}

/** `members` counts everybody in the table, this member and the suspect included. */
export function suspicionBounds(
  config: { suspicionMult: number; suspicionMaxTimeoutMult: number; probeIntervalMs: number },
  members: number,
): SuspicionBounds {
  const scale = Math.max(1, Math.log10(Math.max(1, members)));
  const minMs = config.suspicionMult * (Math.floor(scale * 1000) / 1000) * config.probeIntervalMs;
  const wanted = config.suspicionMult - 2;
  const others = members - 2;
  return {
    minMs,
    maxMs: minMs * config.suspicionMaxTimeoutMult,
    confirmationsWanted: others < wanted ? 0 : Math.max(0, wanted),
  };
}

/** Time from the start of the suspicion to its end, given that many confirmations. */
export function suspicionTimeoutMs(bounds: SuspicionBounds, confirmations: number): number {
  const { minMs, maxMs, confirmationsWanted } = bounds;
  if (confirmationsWanted === 0) return minMs;
  const fraction = Math.log(confirmations + 1) / Math.log(confirmationsWanted + 1);
  return Math.max(minMs, Math.floor(maxMs - fraction * (maxMs - minMs)));
}

/** One suspicion in progress. */
export class Suspicion {
  /** Distinguishes this suspicion of a member from an earlier one whose timer is still on its way. */
  readonly id: number;
  readonly incarnation: Incarnation;
  private readonly startedMs: number;
  private readonly bounds: SuspicionBounds;
  private readonly accusers: Set<string>;

  constructor(id: number, incarnation: Incarnation, from: string, bounds: SuspicionBounds, nowMs: number) {
    this.id = id;
    this.incarnation = incarnation;
    this.bounds = bounds;
    this.startedMs = nowMs;
    this.accusers = new Set([from]);
  }

  get confirmations(): number {
    return this.accusers.size - 1;
  }

  get deadlineMs(): number {
    return this.startedMs + suspicionTimeoutMs(this.bounds, this.confirmations);
  }

  /** True if the accuser is new and wanted: the deadline has moved, and others should hear of it. */
  confirm(from: string): boolean {
    if (this.confirmations >= this.bounds.confirmationsWanted || this.accusers.has(from)) return false;
    this.accusers.add(from);
    return true;
  }
}
