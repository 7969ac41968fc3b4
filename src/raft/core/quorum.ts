/**
 * Majorities, alone. A joint configuration has two groups of voters, and needs a majority of each (Raft §6); everything
 * here takes the groups as a list, so one group and two are the same code.
 */
import type { Configuration, ServerId } from './types.ts';

/** The voter groups of a configuration: one, or two while it is joint. */
export function voterGroups(configuration: Configuration): readonly (readonly ServerId[])[] {
  return configuration.votersOutgoing.length === 0
    ? [configuration.voters]
    : [configuration.voters, configuration.votersOutgoing];
}

/** More than half: 1 of 1, 2 of 2 and 3, 3 of 4 and 5. */
export function majority(size: number): number {
  return Math.floor(size / 2) + 1;
}

/**
 * The highest value that a majority of every group has reached. Works for log indexes, read rounds and times alike.
 * A group without members has reached nothing: an empty configuration can commit nothing.
 */
export function quorumValue(
  groups: readonly (readonly ServerId[])[],
  reached: (id: ServerId) => number,
  needed: (size: number) => number = majority,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    if (group.length === 0) return Number.NEGATIVE_INFINITY;
    least = Math.min(least, highestReached(group, reached, needed(group.length)));
  }
  return least;
}

/** The highest value that `n` of the group have reached. Asked at each read, of small groups: no list is made and sorted. */
function highestReached(group: readonly ServerId[], reached: (id: ServerId) => number, n: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const id of group) {
    const value = reached(id);
    if (value <= highest) continue;
    let count = 0;
    for (const other of group) if (reached(other) >= value) count++;
    if (count >= n) highest = value;
  }
  return highest;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** `lost` as soon as the votes still missing could not make a majority in some group. */
export function voteResult(
  groups: readonly (readonly ServerId[])[],
  votes: ReadonlyMap<ServerId, boolean>,
  needed: (size: number) => number = majority,
): VoteResult {
  let result: VoteResult = 'won';
  for (const group of groups) {
    const granted = group.filter((id) => votes.get(id) === true).length;
    const open = group.filter((id) => !votes.has(id)).length;
    if (group.length === 0 || granted + open < needed(group.length)) return 'lost';
    if (granted < needed(group.length)) result = 'pending';
  }
  return result;
}
