// Three servers agree on a few counters, by `heddle/raft` alone: no mesh, no HTTP. One process here, so that it runs as it stands;
// between machines, `new GrpcTransport({ id, clusterId, listen })` takes the place of the network in memory, and nothing else changes.
//
//   node examples/replicated-counter.mjs
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryNetwork, openRaftLog, RaftNode, seededRandom, systemClock } from 'heddle/raft';

/** What is replicated. Raft hands over committed entries in order; each server comes to the same state. */
class Counters {
  appliedIndex = 0;
  values = {};
  #files = new Map();
  #latest;

  apply(entries) {
    return entries.map(({ index, data }) => {
      const { name, add } = JSON.parse(Buffer.from(data).toString());
      this.values[name] = (this.values[name] ?? 0) + add;
      this.appliedIndex = index;
      return this.values[name];
    });
  }

  /** A copy of all of it: what the log begins with once its old entries are dropped, and what a late server is sent. */
  async checkpoint() {
    const bytes = Buffer.from(JSON.stringify(this.values));
    const checksum = createHash('sha256').update(bytes).digest('hex');
    this.#files.set(checksum, bytes);
    this.#latest = { id: checksum, index: this.appliedIndex, sizeBytes: bytes.length, checksum };
    return this.#latest;
  }

  latestCheckpoint() {
    return this.#latest;
  }

  async readCheckpoint({ id }, offset, bytesMax) {
    return this.#files.get(id).subarray(offset, offset + bytesMax);
  }

  async receiveCheckpoint({ id, checksum }) {
    const chunks = [];
    return {
      offset: 0,
      write: async (chunk) => void chunks.push(chunk),
      finish: async () => {
        const bytes = Buffer.concat(chunks);
        if (createHash('sha256').update(bytes).digest('hex') !== checksum) throw new Error('it arrived damaged');
        this.#files.set(id, bytes);
      },
      abort: async () => {},
    };
  }

  async restore(file) {
    this.values = JSON.parse(this.#files.get(file.id).toString());
    this.appliedIndex = file.index;
    this.#latest = file;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'counters-'));
const network = new MemoryNetwork();
const voters = ['a', 'b', 'c'];
const addresses = { a: 'a.test:1', b: 'b.test:1', c: 'c.test:1' };
const bootstrap = { voters, votersOutgoing: [], learners: [], addresses };

/** The same call for the first start and for every later one: the log on disk knows more than `bootstrap`. */
async function start(id) {
  const counters = new Counters();
  const edges = {
    log: await openRaftLog(join(folder, id)),
    transport: network.transport(id),
    clock: systemClock,
    random: seededRandom(id),
    stateMachine: counters,
  };
  return { node: await RaftNode.open({ id, clusterId: 'counters', bootstrap }, edges), counters };
}

/** The server that leads, once it can be written to. */
const leaderOf = (servers) =>
  new Promise((resolve) => {
    for (const server of servers) server.node.onLeadership((leads) => leads && resolve(server));
  });

const add = async ({ node }, name, n) => {
  const { result } = await node.propose(Buffer.from(JSON.stringify({ name, add: n })));
  return result;
};

const servers = await Promise.all(voters.map(start));
const first = await leaderOf(servers);
await add(first, 'visits', 40);
console.log(`visits: ${await add(first, 'visits', 1)}`);

// The leader goes; the other two go on, with everything that was acknowledged.
const others = servers.filter((server) => server !== first);
const elected = leaderOf(others);
await first.node.stop();
const second = await elected;
console.log(`visits: ${await add(second, 'visits', 1)}, after its leader was lost`);

// A read that sees every write acknowledged before it.
await second.node.readBarrier('readIndex');
console.log(`read: ${second.counters.values.visits}`);

// It comes back on its log, and catches up.
const { index } = await second.node.propose(Buffer.from(JSON.stringify({ name: 'visits', add: 0 })));
const back = await start(first.node.id);
await back.node.waitApplied(index);
console.log(`back: ${back.counters.values.visits}`);

for (const { node } of [...others, back]) await node.stop();
rmSync(folder, { recursive: true });
