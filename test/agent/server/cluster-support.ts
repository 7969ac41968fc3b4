/** Three servers in one process, on a reliable network that is cut where a test says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Forwarder, NotSent, Server, ServerSnapshots } from '../../../src/agent/server/index.ts';
import { type Configuration, MemoryNetwork, type RaftSettings, systemClock } from '../../../src/raft/index.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { eventually } from '../../support/eventually.ts';
import { Members, serverMember } from './support.ts';

export const ids = ['1', '2', '3'].map((digit) => `${digit.repeat(8)}-1111-4111-8111-111111111111`);
const nameOf = (id: string): string => `s${id[0]}`;
export const addresses = Object.fromEntries(ids.map((id, i) => [id, `127.0.14.${i + 1}:8300`]));
const bootstrap: Configuration = { voters: [...ids], votersOutgoing: [], learners: [], addresses };

export class Cluster {
  readonly network = new MemoryNetwork();
  readonly directory = mkdtempSync(join(tmpdir(), 'heddle-cluster-'));
  readonly servers = new Map<string, Server>();
  readonly members = new Members(ids.map((id, i) => serverMember(nameOf(id), `127.0.14.${i + 1}`, id)));
  readonly warnings: { readonly message: string; readonly fields: Record<string, unknown> }[] = [];
  readonly #unreachable = new Set<string>();
  readonly #settings: Partial<RaftSettings>;

  constructor(settings: Partial<RaftSettings> = {}) {
    this.#settings = { checkpointEntries: 200, trailingEntries: 50, checkpointChunkBytes: 8_192, ...settings };
  }

  dataDir(id: string): string {
    return join(this.directory, id);
  }

  async start(id: string): Promise<Server> {
    const server = await Server.open(
      {
        dataDir: this.dataDir(id),
        datacenter: 'dc1',
        nodeName: nameOf(id),
        nodeId: id,
        rpcAddress: addresses[id]!,
        bootstrap: () => bootstrap,
        raftSettings: this.#settings,
      },
      {
        clock: systemClock,
        random: seededRandom(`${id}/${process.pid}`),
        transport: this.network.transport(id),
        members: this.members,
        logger: { info: () => undefined, warn: (message, fields) => this.warnings.push({ message, fields }) },
        forwarder: this.#forwarder(id),
      },
    );
    this.servers.set(id, server);
    this.#unreachable.delete(id);
    return server;
  }

  async startAll(): Promise<void> {
    for (const id of ids) await this.start(id);
  }

  /** The server that leads, once all of those that run agree on it. */
  leader(): Promise<Server> {
    return eventually(() => {
      const running = [...this.servers.values()];
      const leading = running.find((server) => server.leadership.leading);
      const agreed = running.every((server) => server.leadership.leaderId === leading?.raft.id);
      return agreed ? leading : undefined;
    });
  }

  async followers(): Promise<Server[]> {
    const leader = await this.leader();
    return [...this.servers.values()].filter((server) => server !== leader);
  }

  async stop(id: string): Promise<void> {
    const server = this.servers.get(id)!;
    this.servers.delete(id);
    this.#unreachable.add(id);
    await server.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.keys()].map((id) => this.stop(id)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  isolate(id: string): void {
    this.network.isolate(id);
    this.#unreachable.add(id);
  }

  heal(): void {
    this.network.heal();
    this.#unreachable.clear();
  }

  #forwarder(from: string): Forwarder {
    const reach = (id: string): Server => {
      const server = this.servers.get(id);
      if (server === undefined || !server.leadership.leading) throw new NotSent(`${id} does not lead`);
      if (this.#unreachable.has(id) || this.#unreachable.has(from)) throw new NotSent(`${id} is out of reach`);
      return server;
    };
    return {
      apply: async (id, name, args, by) => reach(id).apply(name, args, by),
      query: async (id, name, args, options) => reach(id).query(name, args, options),
      call: async (id, name, args, by) => reach(id).call(name, args, by),
      saveSnapshot: async (id, options) => new ServerSnapshots(reach(id), Date.now).save(options),
      restoreSnapshot: async (id, archive, by) => new ServerSnapshots(reach(id), Date.now).restore(archive, by),
      stop: async () => undefined,
    };
  }
}
