/**
 * Is a deny obeyed? Judges connections through a sidecar by when its intention was changed, what its agent said of itself, and
 * which faults were in. What is promised (docs/intentions.md, "When does a change hold?"):
 *
 *     deny acknowledged        quiet                  carried at most `quietMs` later
 *          │
 *          ├── under faults    the agent is current   carried at most `declaredMs` later
 *          │                   the agent says it is not, or says nothing: goes on with what it last knew
 *          │
 *          └── the agent was seen to have it: carried at most `wakeMs` after that, whatever the faults
 *
 * and the other way round: once the agent was seen to have an allow, no fault of servers refuses a connection.
 *
 * A connection is judged by when it began: a decision that fell before the change was right. One that may have been decided after
 * the next change is not judged. Changes are check-and-sets of one client, so an acknowledged one settles all before it.
 */
import type { Outcome } from '../history.ts';

export interface Change {
  readonly allow: boolean;
  readonly outcome: Outcome;
  readonly startMs: number;
  readonly endMs: number;
}

/** Something that a client tried through the sidecars: a new connection, or bytes on an open one. */
export interface Attempt {
  /** The application heard of it. */
  readonly carried: boolean;
  readonly what: 'connection' | 'bytes on an open connection';
  readonly startMs: number;
  readonly endMs: number;
}

/** What the destination's agent said of its contact with the servers. */
export interface Contact {
  readonly says: 'current' | 'stale' | 'nothing';
  readonly startMs: number;
  readonly endMs: number;
}

/** The destination's agent was seen, at `atMs`, to have the change that was acknowledged at `changedMs`. */
export interface Sighting {
  readonly changedMs: number;
  readonly atMs: number;
}

export interface Disturbance {
  readonly startMs: number;
  readonly endMs: number;
  /** It was done to a host that runs sidecars, not to the servers. */
  readonly onHost: boolean;
}

export interface Observed {
  readonly changes: readonly Change[];
  readonly attempts: readonly Attempt[];
  readonly contacts: readonly Contact[];
  readonly sightings: readonly Sighting[];
  readonly disturbances: readonly Disturbance[];
}

export interface EnforcementBounds {
  /** From an acknowledgement to its effect while nothing disturbs, ms. */
  readonly quietMs: number;
  /** How long after the end of a fault it still disturbs, ms. */
  readonly settleMs: number;
  /** The same for its host being held failed, and so out of the catalog: until the pool hears that it is well, ms. */
  readonly returnMs: number;
  /** For so long an agent may be out of contact before it says so, ms. */
  readonly declaredMs: number;
  /** From the agent to its sidecar, ms. */
  readonly wakeMs: number;
}

/** A time in which an acknowledged change held. */
interface Stretch {
  readonly allow: boolean;
  /** Its acknowledgement, and when the next change may first have happened. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Enforcement {
  readonly violations: readonly string[];
  /** Of each acknowledged deny that connections tried: ms from there to the start of the last one that was carried; 0 for none. */
  readonly quietDelays: readonly number[];
  readonly disturbedDelays: readonly number[];
  readonly refused: number;
  readonly carried: number;
}

export function checkEnforcement(observed: Observed, bounds: EnforcementBounds): Enforcement {
  const violations: string[] = [];
  const quietDelays: number[] = [];
  const disturbedDelays: number[] = [];
  let refused = 0;
  let carried = 0;
  for (const stretch of stretches(observed.changes)) {
    const within = observed.attempts.filter(
      ({ startMs, endMs }) => startMs > stretch.fromMs && endMs < stretch.untilMs,
    );
    const good = within.filter((attempt) => attempt.carried === stretch.allow).length;
    if (stretch.allow) carried += good;
    else refused += good;
    for (const attempt of within) {
      if (attempt.carried === stretch.allow) continue;
      const fault = stretch.allow
        ? refusedWrongly(attempt, stretch, observed, bounds)
        : carriedWrongly(attempt, stretch, observed, bounds);
      if (fault !== undefined) violations.push(fault);
    }
    if (stretch.allow || within.length === 0) continue;
    const late = within.filter((attempt) => attempt.carried).map(({ startMs }) => startMs - stretch.fromMs);
    const delay = Math.max(0, ...late);
    const quiet = disturbedUntil(stretch.fromMs + delay, observed, bounds) <= stretch.fromMs;
    (quiet ? quietDelays : disturbedDelays).push(delay);
  }
  return { violations, quietDelays, disturbedDelays, refused, carried };
}

/** What an acknowledged change is in force for: up to the next one that certainly or perhaps changes the value. */
function stretches(changes: readonly Change[]): Stretch[] {
  const inOrder = [...changes].sort((a, b) => a.startMs - b.startMs);
  return inOrder.flatMap((change, i) => {
    if (change.outcome !== 'ok') return [];
    const next = inOrder.slice(i + 1).find(({ outcome, allow }) => outcome !== 'fail' && allow !== change.allow);
    const untilMs = next?.startMs ?? Number.POSITIVE_INFINITY;
    return [{ allow: change.allow, fromMs: change.endMs, untilMs }];
  });
}

/** Until when what goes on at this time is disturbed by what was done to servers and hosts; -Infinity: not at all. */
function disturbedUntil(atMs: number, { disturbances }: Observed, { settleMs }: EnforcementBounds): number {
  const before = disturbances.filter(({ startMs }) => startMs <= atMs);
  return Math.max(Number.NEGATIVE_INFINITY, ...before.map(({ endMs }) => endMs + settleMs));
}

function carriedWrongly(
  { what, startMs }: Attempt,
  stretch: Stretch,
  observed: Observed,
  bounds: EnforcementBounds,
): string | undefined {
  const lateMs = startMs - stretch.fromMs;
  const said = `${what} at ${at(startMs)} was carried ${Math.round(lateMs)} ms after a deny was acknowledged`;
  const sighting = sightingOf(stretch, observed);
  if (sighting !== undefined && startMs > sighting.atMs + bounds.wakeMs)
    return `${said}, and ${Math.round(startMs - sighting.atMs)} ms after the agent had it`;
  const calmFromMs = Math.max(stretch.fromMs, disturbedUntil(startMs, observed, bounds));
  if (startMs > calmFromMs + bounds.quietMs) return `${said}, though nothing disturbed`;
  if (lateMs > bounds.declaredMs && saidToBeCurrent(startMs, observed))
    return `${said}, by an agent that said it was current`;
  return undefined;
}

function refusedWrongly(
  { what, startMs, endMs }: Attempt,
  stretch: Stretch,
  observed: Observed,
  bounds: EnforcementBounds,
): string | undefined {
  const sighting = sightingOf(stretch, observed);
  if (sighting === undefined || startMs <= sighting.atMs + bounds.wakeMs) return undefined;
  const hostDisturbed = observed.disturbances.some(
    (each) => each.onHost && each.startMs <= endMs && each.endMs + bounds.returnMs >= startMs,
  );
  if (hostDisturbed) return undefined;
  return `${what} at ${at(startMs)} was refused ${Math.round(startMs - sighting.atMs)} ms after the agent had an allow`;
}

function sightingOf(stretch: Stretch, { sightings }: Observed): Sighting | undefined {
  return sightings.find(({ changedMs, atMs }) => changedMs === stretch.fromMs && atMs < stretch.untilMs);
}

/** The answers before and after this time both say so: in between it may have been anything. */
function saidToBeCurrent(atMs: number, { contacts }: Observed): boolean {
  const before = contacts.findLast(({ endMs }) => endMs <= atMs);
  const after = contacts.find(({ startMs }) => startMs >= atMs);
  return before?.says === 'current' && (after === undefined || after.says === 'current');
}

const at = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
