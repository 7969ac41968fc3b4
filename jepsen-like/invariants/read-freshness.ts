import { hold, type Invariant } from './invariant.ts';

const name = 'read-freshness';
export const readFreshness: Invariant = {
  name,
  source: 'Raft dissertation §6.4; etcd #20418, sofa-jraft #25',
  says: 'A read, under a lease or not, sees every write that was acknowledged before it began.',
  create: () => ({
    readServed: ({ id }, mode, index, acknowledgedBefore) =>
      hold(
        index >= acknowledgedBefore,
        name,
        () => `${id} serves a ${mode} read at ${index}, ${acknowledgedBefore} was acknowledged before`,
      ),
  }),
};
