/**
 * Transactions that read all of three keys and write some of them, as one operation each: strictly serializable, which is that the
 * three together are one linearizable object. A write skew, a transaction seen half, or a read of the past is no order of such.
 * The keys are used for a few seconds, so that the search over their history stays small.
 */
import { checkLinearizability, type Model } from '../checkers/linearizability.ts';
import { readThree, type Three, textOf, writeSome } from './three-keys.ts';
import { pause, type Workload } from './workload.ts';

const lifeMs = 2_500;

const model: Model<Three> = {
  initial: {},
  step(state, { input, output, outcome }) {
    if (outcome === 'ok' && textOf(output as Three) !== textOf(state)) return undefined;
    return input === null ? state : { ...state, ...(input as Three) };
  },
  key: textOf,
};

export const transactions: Workload = {
  name: 'transactions',
  promise: 'transactions over several keys are strictly serializable, whichever server is asked',
  clients: 4,
  acknowledges: ['read', 'write'],
  async client(client, index, context) {
    const { history, over, chance, run } = context;
    for (let n = 0; !over(); n++) {
      const folder = `${run}/${Math.floor(history.nowMs() / lifeMs)}/`;
      if (chance() < 0.4) await readThree(client, folder, context);
      else await writeSome(client, folder, `${index}-${n}`, context);
      await pause(10);
    }
  },
  check: ({ operations }) => checkLinearizability(operations, model as Model<unknown>),
};
