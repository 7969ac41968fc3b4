/** Wrong edges: a disk or a state machine that lies, as real ones have. */

import { type Message, type RaftEdges, RaftError, type StateMachine } from '../../src/raft/index.ts';
import { decodeRecord, encodeRecord } from '../../src/raft/log/records.ts';
import type { LogStore, StoreOperation } from '../../src/raft/log/store.ts';
import { decodeCommand } from '../sim/machine.ts';
import { changed } from './changed.ts';
import type { Mutation } from './mutation.ts';

const wrapStore = (store: LogStore, commit: LogStore['commit']): LogStore => ({
  get: (key) => store.get(key),
  bounds: () => store.bounds(),
  range: (first, last) => store.range(first, last),
  commit,
  close: () => store.close(),
});

const withMachine = (edges: RaftEdges, change: Partial<StateMachine>): RaftEdges => ({
  ...edges,
  stateMachine: changed(edges.stateMachine, change),
});

export const edgeMutations: readonly Mutation[] = [
  {
    name: 'the vote is not written, only the term',
    source: 'R02, hashicorp/raft #661',
    store: (store) =>
      wrapStore(store, (operations) =>
        store.commit(
          operations.map((operation): StoreOperation => {
            if (operation.kind !== 'put' || operation.key !== 'hardState') return operation;
            const state = decodeRecord(operation.value) as { term: number };
            return { ...operation, value: encodeRecord({ ...state, votedFor: '' }) };
          }),
        ),
      ),
  },
  {
    name: 'the term is not written',
    source: 'R02, R03',
    store: (store) =>
      wrapStore(store, (operations) =>
        store.commit(operations.filter(({ key }) => key !== 'hardState' || store.get(key) === undefined)),
      ),
  },
  {
    name: 'a write is reported durable before it is',
    source: 'D02, etcd #14370',
    store: (store) =>
      wrapStore(store, async (operations) => {
        // Writes queue up behind each other in secret.
        const before = hidden.get(store) ?? Promise.resolve();
        hidden.set(
          store,
          before.then(() => store.commit(operations)),
        );
      }),
  },
  {
    name: 'a failed fsync is swallowed',
    source: 'D03, R05, rostam #94',
    store: (store) => wrapStore(store, (operations) => store.commit(operations).catch(() => {})),
  },
  {
    name: 'new entries before the removal of the old ones',
    source: 'R08, D15',
    store: (store) =>
      wrapStore(store, (operations) =>
        store.commit([
          ...operations.filter(({ kind }) => kind === 'put'),
          ...operations.filter(({ kind }) => kind === 'remove'),
        ]),
      ),
  },
  {
    name: 'entries reach the disk before the term that they are of',
    source: 'R02, D01',
    byCrashPoints: true,
    store: (store) =>
      wrapStore(store, (operations) =>
        store.commit([
          ...operations.filter(({ key }) => key !== 'hardState'),
          ...operations.filter(({ key }) => key === 'hardState'),
        ]),
      ),
  },
  {
    name: 'the applied index is lost at a restart',
    source: 'R44, etcd #13766',
    edges: (edges) => {
      const machine = edges.stateMachine as StateMachine & { appliedIndex: number };
      machine.appliedIndex = Math.max(edges.log.recovered.prefix.index, machine.appliedIndex - 2);
      return edges;
    },
  },
  {
    name: 'a state that is ahead of its log is taken for one that is not',
    source: 'D12',
    edges: (edges) => {
      const machine = edges.stateMachine as StateMachine & { appliedIndex: number };
      machine.appliedIndex = Math.min(edges.log.recovered.lastIndex, machine.appliedIndex);
      return edges;
    },
  },
  {
    name: 'a damaged checkpoint is installed',
    source: 'D09, NATS #7556',
    edges: (edges) => {
      (edges.stateMachine as StateMachine & { verifies: boolean }).verifies = false;
      return edges;
    },
  },
  {
    name: 'a checkpoint says more than it holds',
    source: 'D20, R21',
    edges: (edges) =>
      withMachine(edges, {
        checkpoint: async () => {
          const file = await edges.stateMachine.checkpoint();
          const index = Math.max(file.index, edges.stateMachine.appliedIndex);
          return { ...file, index };
        },
        latestCheckpoint: () => {
          const file = edges.stateMachine.latestCheckpoint();
          return file === undefined ? undefined : { ...file, index: edges.stateMachine.appliedIndex };
        },
      }),
  },
  {
    name: 'a command that this release does not know is skipped',
    source: 'V02, design decision 4',
    edges: (edges) => {
      const machine = edges.stateMachine as StateMachine & { appliedIndex: number; format: number };
      return withMachine(edges, {
        apply: (entries) =>
          entries.map((entry) => {
            if ((decodeCommand(entry.data).format ?? 1) <= machine.format) return machine.apply([entry])[0];
            machine.appliedIndex = entry.index;
            return { applied: false };
          }),
      });
    },
  },
  {
    name: 'the vote is lost when a checkpoint is installed',
    source: 'R02, C07',
    store: (store) =>
      wrapStore(store, (operations) => {
        const state = store.get('hardState');
        const installs = operations.some(({ kind, key }) => kind === 'remove' && key === 'installing');
        if (!installs || state === undefined) return store.commit(operations);
        const { term } = decodeRecord(state) as { term: number };
        return store.commit([
          ...operations,
          { kind: 'put', key: 'hardState', value: encodeRecord({ term, votedFor: '' }) },
        ]);
      }),
  },
  {
    name: 'a tail that contradicts an installed checkpoint is kept',
    source: 'R16, openraft 674e78aa',
    store: (store) =>
      wrapStore(store, (operations) => {
        const installs = operations.some(({ kind, key }) => kind === 'remove' && key === 'installing');
        return store.commit(installs ? operations.filter(({ key }) => typeof key !== 'number') : operations);
      }),
  },
  {
    name: 'a checkpoint is sent with the configuration of the beginning',
    source: 'R14, etcd/raft e515a67',
    edges: (edges) => {
      const { base, configurations } = edges.log.recovered;
      const configuration = [base, ...configurations].find(({ configuration: { voters } }) => voters.length > 0);
      return {
        ...edges,
        transport: changed(edges.transport, {
          sendCheckpoint: (offer, read) =>
            edges.transport.sendCheckpoint(
              configuration === undefined
                ? offer
                : { ...offer, checkpoint: { ...offer.checkpoint, configuration: configuration.configuration } },
              read,
            ),
        }),
      };
    },
  },
  {
    name: 'a pre-vote raises the term of those who are asked',
    source: 'R39, Raft dissertation §9.6',
    edges: (edges) => ({
      ...edges,
      transport: changed(edges.transport, {
        start: (handlers) =>
          edges.transport.start({
            ...handlers,
            messages: (batch) =>
              handlers.messages(
                batch.flatMap((message): Message[] => {
                  if (message.kind !== 'preVoteRequest') return [message];
                  const { from, to, term } = message;
                  return [message, { kind: 'heartbeatResponse', from, to, term, readRound: 0, sentMs: 0 }];
                }),
              ),
          }),
      }),
    }),
  },
  {
    name: 'a proposal of unknown outcome is proposed again',
    source: 'W15, Raft §8',
    raft: (raft, host) =>
      changed(raft, {
        propose: (data) =>
          raft.propose(data).catch((error: unknown) => {
            const unknown = error instanceof RaftError && error.code === 'leadershipLost';
            const leader = host.otherLeader;
            if (!unknown || leader === undefined) throw error;
            return leader.propose(data);
          }),
      }),
  },
  {
    name: 'a read does not wait until its index is applied',
    source: 'C20, Raft dissertation §6.4 step 4',
    raft: (raft) =>
      changed(raft, {
        readBarrier: async (mode) => {
          const { leaseValid, commitIndex } = raft.status();
          return mode === 'lease' && leaseValid ? commitIndex : raft.readBarrier(mode);
        },
      }),
  },
  {
    name: 'an entry is applied differently on one server',
    source: 'V04',
    edges: (edges) =>
      withMachine(edges, {
        apply: (entries) =>
          edges.stateMachine.apply(
            edges.random.chance(0.002) ? entries.map((entry) => ({ ...entry, term: entry.term + 1 })) : entries,
          ),
      }),
  },
];

const hidden = new WeakMap<LogStore, Promise<void>>();
