import { CommittedLog } from './committed.ts';
import { hold, type Invariant, majorities } from './invariant.ts';

const name = 'commit-durability';
export const commitDurability: Invariant = {
  name,
  source: 'Raft §5.3, §6; etcd #14370, NATS 2.12.1',
  says: 'What is committed is, or was when it was acknowledged, on the disks of a majority of each voter group in force.',
  create: () => {
    const committed = new CommittedLog();
    return {
      started: ({ id }) => committed.restarted(id),
      step: (server, all) => {
        const { state } = server;
        if (state === undefined) return;
        let newest: { index: number; term: number } | undefined;
        committed.follow(server, (index, term, isFirst) => {
          if (isFirst) newest = { index, term };
        });
        if (newest === undefined) return;
        const { index, term } = newest;
        const configuration = state.membership.latest;
        // A voter is a server together with its log. One whose disk was replaced has acknowledged what it did, and died.
        const holders = all
          .filter(({ id, mirror, lostMirrors }) =>
            [mirror, ...lostMirrors].some(
              (each) => each.logId === (configuration.logIds?.[id] ?? 0) && each.has(index, term),
            ),
          )
          .map(({ id }) => id);
        hold(
          majorities(configuration, (id) => holders.includes(id)),
          name,
          () =>
            `${server.id} commits ${index} (term ${term}), durable only on ${holders} of ${JSON.stringify(configuration)}`,
        );
      },
    };
  },
};
