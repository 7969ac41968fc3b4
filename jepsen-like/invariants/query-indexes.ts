import { hold, type Invariant } from './invariant.ts';

const name = 'query-indexes';
export const queryIndexes: Invariant = {
  name,
  source: 'blocking queries: a client waits with the index that it was told',
  says: 'The index that a consistent read of a key is answered with never falls, whichever servers are asked.',
  create: () => ({
    answered: ({ id }, key, index, before) =>
      hold(index >= before, name, () => `${id} answers ${key} with index ${index}, after ${before} had been told`),
  }),
};
