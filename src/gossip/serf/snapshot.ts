/**
 * The snapshot: what a member needs after a restart to find the pool again and not to repeat old events. A text file of
 * one record a line, appended as things happen:
 *
 *     alive: NAME ADDR:PORT        not-alive: NAME
 *     clock: N                     event-clock: N     query-clock: N       leave
 */
import type { Endpoint } from '../swim/types.ts';

export interface Snapshot {
  readonly alive: ReadonlyMap<string, Endpoint>;
  /** Last seen Lamport times. */
  readonly clock: number;
  readonly eventClock: number;
  readonly queryClock: number;
  /** Lines that nobody could read. */
  readonly unknownLines: number;
}

export const emptySnapshot: Snapshot = { alive: new Map(), clock: 0, eventClock: 0, queryClock: 0, unknownLines: 0 };

export const snapshotLine = {
  alive: (name: string, at: Endpoint): string => `alive: ${name} ${hostPort(at)}`,
  notAlive: (name: string): string => `not-alive: ${name}`,
  clock: (time: number): string => `clock: ${time}`,
  eventClock: (time: number): string => `event-clock: ${time}`,
  queryClock: (time: number): string => `query-clock: ${time}`,
  leave: 'leave',
} as const;

export function hostPort({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Replays a file. After `leave` nothing is remembered, unless the member is to rejoin all the same. */
export function parseSnapshot(text: string, rejoinAfterLeave: boolean): Snapshot {
  const alive = new Map<string, Endpoint>();
  let clock = 0;
  let eventClock = 0;
  let queryClock = 0;
  let unknownLines = 0;
  for (const line of text.split('\n')) {
    const [, kind, rest] = /^([a-z-]+): ?(.*)$/.exec(line) ?? [];
    if (line === '' || line.startsWith('#') || kind === 'coordinate') continue;
    if (line === snapshotLine.leave) {
      if (rejoinAfterLeave) continue;
      alive.clear();
      clock = 0;
      eventClock = 0;
      queryClock = 0;
    } else if (kind === 'alive') {
      const entry = parseAlive(rest!);
      if (entry === undefined) unknownLines++;
      else alive.set(entry.name, entry.at);
    } else if (kind === 'not-alive') alive.delete(rest!);
    else if (kind === 'clock') clock = parseTime(rest!) ?? clock;
    else if (kind === 'event-clock') eventClock = parseTime(rest!) ?? eventClock;
    else if (kind === 'query-clock') queryClock = parseTime(rest!) ?? queryClock;
    else unknownLines++;
  }
  return { alive, clock, eventClock, queryClock, unknownLines };
}

/** Names may hold blanks: split at the last one. */
function parseAlive(rest: string): { name: string; at: Endpoint } | undefined {
  const blank = rest.lastIndexOf(' ');
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(rest.slice(blank + 1));
  if (blank <= 0 || match === null) return undefined;
  return { name: rest.slice(0, blank), at: { address: match[1] ?? match[2]!, port: Number(match[3]) } };
}

function parseTime(text: string): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The shortest file that says the same. */
export function compactSnapshot(snapshot: Omit<Snapshot, 'unknownLines'>): string {
  const lines = Array.from(snapshot.alive, ([name, at]) => snapshotLine.alive(name, at));
  lines.push(snapshotLine.clock(snapshot.clock));
  lines.push(snapshotLine.eventClock(snapshot.eventClock));
  lines.push(snapshotLine.queryClock(snapshot.queryClock));
  return `${lines.join('\n')}\n`;
}

/** When a file has grown beyond this, it is rewritten. */
export function snapshotBytesMax(aliveMembers: number): number {
  return Math.max(128 * 1024, 256 * aliveMembers);
}
