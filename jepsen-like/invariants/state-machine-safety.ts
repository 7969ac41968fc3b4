import { hold, type Invariant } from './invariant.ts';

const name = 'state-machine-safety';
export const stateMachineSafety: Invariant = {
  name,
  source: 'Raft §5.4.3, Figure 3',
  says: 'Servers that have applied up to the same index have the same state, however they got there.',
  create: () => {
    const hashes = new Map<number, { hash: number; on: string }>();
    const check = (id: string, index: number, hash: number): void => {
      const known = hashes.get(index);
      if (known === undefined) hashes.set(index, { hash, on: id });
      else hold(known.hash === hash, name, () => `${known.on} and ${id} differ after ${index}`);
    };
    return {
      applied: ({ id }, index, _term, _command, hash) => check(id, index, hash),
      restored: ({ id }, index, hash) => check(id, index, hash),
    };
  },
};
