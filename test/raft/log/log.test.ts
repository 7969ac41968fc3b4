/** The contract on both stores; what happens to a log whose records are damaged; the latch after a failed write. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RaftLog } from '../../../src/raft/log/log.ts';
import { openRaftLog } from '../../../src/raft/log/open.ts';
import type { LogStore, StoreKey, StoreOperation } from '../../../src/raft/log/store.ts';
import { StoredLog } from '../../../src/raft/log/stored-log.ts';
import { configurationOf } from '../support/cluster.ts';
import { command, logContract, persist } from './contract.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

logContract('segments on the disk', async () => {
  const path = mkdtempSync(join(tmpdir(), 'raft-log-'));
  directories.push(path);
  let current: RaftLog = await openRaftLog(path);
  const reopen = async (): Promise<RaftLog> => {
    await current.close();
    current = await openRaftLog(path);
    return current;
  };
  return { log: current, reopen };
});

/** The simplest store: what is committed is there. */
function memoryStore(
  records = new Map<StoreKey, Uint8Array>(),
): LogStore & { readonly records: Map<StoreKey, Uint8Array> } {
  const indexes = (): number[] => [...records.keys()].filter((key) => typeof key === 'number').sort((a, b) => a - b);
  return {
    records,
    get: (key) => records.get(key),
    bounds: () => {
      const all = indexes();
      return all.length === 0 ? undefined : { first: all[0]!, last: all.at(-1)! };
    },
    range: (first, last) =>
      indexes()
        .filter((index) => index >= first && index <= last)
        .map((index) => [index, records.get(index)!] as const),
    commit: async (operations) => {
      for (const operation of operations) {
        if (operation.kind === 'put') records.set(operation.key, operation.value);
        else records.delete(operation.key);
      }
    },
    close: async () => {},
  };
}

logContract('a store in memory', () => {
  const store = memoryStore();
  return { log: new StoredLog(store), reopen: async () => new StoredLog(store) };
});

describe('damage', () => {
  async function filled(): Promise<ReturnType<typeof memoryStore>> {
    const store = memoryStore();
    const log = new StoredLog(store);
    await log.initialize({ id: 'a', clusterId: 'test' }, configurationOf('a'));
    await log.write([persist({ entries: [command(2, 1), command(3, 1), command(4, 1)] })]);
    return store;
  }

  it('of any single byte of any record is noticed before the log is used', async () => {
    const { records } = await filled();
    for (const [key, bytes] of records) {
      for (let at = 0; at < bytes.length; at++) {
        const damaged = new Uint8Array(bytes);
        damaged[at]! ^= 0x10;
        expect(() => new StoredLog(memoryStore(new Map([...records, [key, damaged]])))).toThrow('corrupt');
      }
    }
  });

  it('by a record written in the place of another is noticed (D11)', async () => {
    const { records } = await filled();
    records.set(3, records.get(2)!);
    expect(() => new StoredLog(memoryStore(records))).toThrow('entry 3 does not verify');
  });

  it('by an older version of a record is noticed (D11)', async () => {
    const store = await filled();
    const old = store.records.get(3)!;
    await new StoredLog(store).write([
      persist({ truncateFrom: 2, entries: [command(2, 1, 'new'), command(3, 1), command(4, 1)] }),
    ]);
    store.records.set(3, old);
    expect(() => new StoredLog(store)).toThrow('entry 3 does not verify');
  });

  it('by a missing record is noticed', async () => {
    const { records } = await filled();
    records.delete(3);
    expect(() => new StoredLog(memoryStore(records))).toThrow('entry 3 is missing');
  });
});

it('begins again after a crash at any moment of its beginning', async () => {
  const done: StoreOperation[] = [];
  const probe = memoryStore();
  await new StoredLog({
    ...probe,
    commit: async (operations) => {
      done.push(...operations);
      await probe.commit(operations);
    },
  }).initialize({ id: 'a', clusterId: 'test' }, configurationOf('a', 'b'));
  for (let kept = 0; kept < done.length; kept++) {
    for (const bootstrap of [undefined, configurationOf('a')]) {
      const store = memoryStore();
      await store.commit(done.slice(0, kept));
      const log = new StoredLog(store);
      expect(log.recovered.identity).toBeUndefined();
      await log.initialize({ id: 'a', clusterId: 'test' }, bootstrap);
      const { identity, lastIndex, configurations } = new StoredLog(store).recovered;
      expect(identity).toEqual({ id: 'a', clusterId: 'test' });
      expect(lastIndex).toBe(bootstrap === undefined ? 0 : 1);
      expect(configurations.map(({ configuration }) => configuration.voters)).toEqual(
        bootstrap === undefined ? [] : [['a']],
      );
    }
  }
});

it('is latched shut by the first failed write: nothing is tried again', async () => {
  const store = memoryStore();
  const log = new StoredLog(store);
  await log.initialize({ id: 'a', clusterId: 'test' }, undefined);
  let calls = 0;
  store.commit = async () => {
    calls++;
    throw new Error('EIO');
  };
  const write = (): Promise<void> => log.write([persist({ hardState: { term: 1, votedFor: '' } })]);
  await expect(write()).rejects.toMatchObject({ code: 'storageFailed' });
  await expect(write()).rejects.toMatchObject({ code: 'storageFailed' });
  expect(calls).toBe(1);
});
