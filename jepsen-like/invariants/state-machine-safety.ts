import { hold, type Invariant } from './invariant.ts';

const name = 'state-machine-safety';
export const stateMachineSafety: Invariant = {
  name,
  source: 'Raft §5.4.3, Figure 3',
  says: 'Servers that have applied up to the same index have the same state, however they got there.',
  create: () => {
    const entries = new Map<number, Seen<number>>();
    const states = new Map<number, Seen<string>>();
    return {
      applied: ({ id }, index, _term, _command, hash) => agree(entries, 'entries', id, index, hash),
      restored: ({ id }, index, hash) => agree(entries, 'entries', id, index, hash),
      stateIs: ({ id }, index, fingerprint) => agree(states, 'rows', id, index, fingerprint),
    };
  },
};

interface Seen<T> {
  readonly value: T;
  readonly on: string;
}

function agree<T>(seen: Map<number, Seen<T>>, what: string, id: string, index: number, value: T): void {
  const known = seen.get(index);
  if (known === undefined) seen.set(index, { value, on: id });
  else hold(known.value === value, name, () => `the ${what} of ${known.on} and ${id} differ after ${index}`);
}
