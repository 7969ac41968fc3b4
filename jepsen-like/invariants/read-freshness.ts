import { hold, type Invariant } from './invariant.ts';

const name = 'read-freshness';
export const readFreshness: Invariant = {
  name,
  source: 'Raft dissertation §6.4; etcd #20418, sofa-jraft #25',
  says: 'A read, under a lease or not, sees every write that was acknowledged before it began, and waits until its own index is applied.',
  create: () => ({
    readServed: ({ id, state }, mode, index, acknowledgedBefore) => {
      const applied = state?.appliedIndex ?? 0;
      hold(applied >= index, name, () => `${id} serves a ${mode} read at ${index} from what is applied to ${applied}`);
      hold(
        index >= acknowledgedBefore,
        name,
        () => `${id} serves a ${mode} read at ${index}, ${acknowledgedBefore} was acknowledged before`,
      );
    },
  }),
};
