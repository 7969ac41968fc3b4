/** Real servers in this process: LMDB logs in a temporary directory, a memory network, the system's clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Configuration,
  MemoryNetwork,
  openRaftLog,
  RaftNode,
  type RaftSettings,
  systemClock,
} from '../../../src/raft/index.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { KvMachine } from './kv.ts';

export const configurationOf = (...voters: string[]): Configuration => ({
  voters,
  votersOutgoing: [],
  learners: [],
  addresses: Object.fromEntries(voters.map((id) => [id, `${id}.test`])),
});

export class Cluster {
  readonly network = new MemoryNetwork();
  readonly nodes = new Map<string, RaftNode>();
  readonly machines = new Map<string, KvMachine>();
  readonly directory = mkdtempSync(join(tmpdir(), 'raft-test-'));
  readonly #settings: Partial<RaftSettings>;

  constructor(settings: Partial<RaftSettings> = {}) {
    this.#settings = settings;
  }

  async start(id: string, bootstrap?: Configuration): Promise<RaftNode> {
    const machine = this.machines.get(id) ?? new KvMachine();
    this.machines.set(id, machine);
    const node = await RaftNode.open(
      { id, clusterId: 'test', ...(bootstrap === undefined ? {} : { bootstrap }), settings: this.#settings },
      {
        log: await openRaftLog(join(this.directory, id)),
        transport: this.network.transport(id),
        clock: systemClock,
        random: seededRandom(id),
        stateMachine: machine,
      },
    );
    this.nodes.set(id, node);
    return node;
  }

  async startAll(...ids: string[]): Promise<void> {
    for (const id of ids) await this.start(id, configurationOf(...ids));
  }

  /** Resolves with the leader that has committed in its term. */
  async leader(): Promise<RaftNode> {
    return new Promise((resolve) => {
      const cancels = [...this.nodes.values()].map((node) =>
        node.onLeadership((isLeader) => {
          if (isLeader) done(node);
        }),
      );
      const done = (node: RaftNode): void => {
        for (const cancel of cancels) cancel();
        resolve(node);
      };
      for (const node of this.nodes.values()) {
        const { state } = node.core;
        if (state.leadership !== undefined && state.appliedIndex >= state.leadership.firstIndex) return done(node);
      }
    });
  }

  async kill(id: string): Promise<void> {
    const node = this.nodes.get(id);
    this.nodes.delete(id);
    await node?.stop();
  }

  async stop(): Promise<void> {
    for (const id of [...this.nodes.keys()]) await this.kill(id);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
