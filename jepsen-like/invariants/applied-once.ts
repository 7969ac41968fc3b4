import { hold, type Invariant } from './invariant.ts';

const name = 'applied-once';
export const appliedOnce: Invariant = {
  name,
  source: 'Raft §5.3; openraft eed681d5, etcd #13766',
  says: 'A server applies entries in order and each once; what it has applied never goes back except to a checkpoint by power loss.',
  create: () => {
    const last = new Map<string, number>();
    return {
      started: ({ id, machineIndex }) => void last.set(id, machineIndex),
      applied: ({ id }, index) => {
        const before = last.get(id) ?? 0;
        hold(index > before, name, () => `${id} applies ${index} after ${before}`);
        last.set(id, index);
      },
      restored: ({ id }, index) => {
        const before = last.get(id) ?? 0;
        hold(index >= before, name, () => `${id} goes back from ${before} to ${index} by a checkpoint`);
        last.set(id, index);
      },
    };
  },
};
