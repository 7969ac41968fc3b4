/** What checkpoints write is bounded by what was applied, however large the state is. */
import { afterEach, expect, it } from 'vitest';
import { Cluster } from './support/cluster.ts';
import { encode, KvMachine } from './support/kv.ts';

class Counted extends KvMachine {
  readonly made: number[] = [];
  override async checkpoint() {
    const file = await super.checkpoint();
    this.made.push(file.sizeBytes);
    return file;
  }
}

const bytesPerEntry = 100;
let cluster: Cluster;
afterEach(() => cluster.stop());

async function bytesMade(to: string, entries: number): Promise<number[]> {
  cluster = new Cluster({ checkpointEntries: 10, checkpointBytesPerEntry: bytesPerEntry, trailingEntries: 0 });
  const machine = new Counted();
  cluster.machines.set('a', machine);
  await cluster.startAll('a');
  const leader = await cluster.leader();
  for (let i = 0; i < entries; i++) await leader.propose(encode({ key: `${i % 100}`, to }));
  return machine.made;
}

it('a large state is written again once enough entries have paid for it', async () => {
  const entries = 1_000;
  const made = await bytesMade('x'.repeat(500), entries);
  expect(made.length).toBeGreaterThan(2);
  const paidFor = made.slice(0, -1).reduce((sum, bytes) => sum + bytes, 0);
  expect(paidFor).toBeLessThanOrEqual(entries * bytesPerEntry);
});

it('a small one every so many entries', async () => {
  const made = await bytesMade('', 200);
  expect(made.length).toBeGreaterThanOrEqual(200 / 15 - 1);
});
