import { hold, type Invariant } from './invariant.ts';

const name = 'log-matching';
export const logMatching: Invariant = {
  name,
  source: 'Raft §5.3, Figure 3',
  says: 'Two entries with the same index and term are the same, and so is everything before them.',
  create: () => {
    /** `index:term` -> the entry, and the term of the one before it. */
    const seen = new Map<string, { hash: number; before: number | undefined; on: string }>();
    return {
      durable: ({ id, mirror }, index, entry) => {
        const before = index - 1 > mirror.prefixIndex ? mirror.entries.get(index - 1)?.term : undefined;
        const key = `${index}:${entry.term}`;
        const known = seen.get(key);
        if (known === undefined) return void seen.set(key, { hash: entry.hash, before, on: id });
        hold(known.hash === entry.hash, name, () => `entry ${key} differs on ${known.on} and ${id}`);
        if (known.before === undefined) known.before = before;
        else if (before !== undefined) {
          hold(known.before === before, name, () => `what precedes ${key} differs on ${known.on} and ${id}`);
        }
      },
    };
  },
};
