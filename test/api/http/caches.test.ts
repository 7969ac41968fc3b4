/** The two caches behind reads: encodings by what they were made of, and the agent's own by what was asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/api/backend.ts';
import { AgentCache, type Fetch } from '../../../src/api/http/agent-cache.ts';
import { EncodeCache } from '../../../src/api/http/encode-cache.ts';

describe('encodings', () => {
  const pool = Array.from({ length: 5 }, (_, id) => ({ id }));

  it('are what encoding anew would give, whatever was asked before', () => {
    const cache = new EncodeCache();
    const elements = fc.array(fc.nat(4), { maxLength: 6 });
    fc.assert(
      fc.property(elements, fc.constantFrom('a', 'b'), (picked, question) => {
        const list = picked.map((i) => pool[i]!);
        const encoded = cache.list(
          list,
          () => question,
          () => JSON.stringify(list),
        );
        expect(Buffer.from(encoded.bytes).toString()).toBe(JSON.stringify(list));
      }),
    );
  });

  it('are made once for the same elements', () => {
    const cache = new EncodeCache();
    let made = 0;
    for (let i = 0; i < 3; i++)
      cache.list(
        [...pool],
        () => 'q',
        () => String(++made),
      );
    cache.list(
      pool,
      () => 'q2',
      () => String(++made),
    );
    cache.list(
      pool,
      () => 'q3',
      () => String(++made),
    );
    expect(made).toBe(2);
  });
});

/** A server with one value: readers wait for its index to grow. */
class Source {
  index = 1;
  reads = 0;
  failing = false;
  #waiting: (() => void)[] = [];

  read = async (minIndex: number, signal: AbortSignal): Promise<Answer<number>> => {
    this.reads++;
    while (!this.failing && minIndex >= this.index && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (this.failing) throw new Error('no server');
    return { value: this.index, index: this.index, knownLeader: true, lastContactMs: 0, notFound: false };
  };
  change(work: () => void): void {
    work();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

describe('the agent cache', () => {
  const options = { entriesMax: 2, idleMs: 60_000, retryMsMin: 1, retryMsMax: 2 };
  const now = { minIndex: 0, waitMs: 0, signal: undefined };

  it('many readers cost one blocking read, which keeps the value current', async () => {
    const source = new Source();
    const cache = new AgentCache(options);
    const first = await cache.get('k', source.read, now);
    expect(first).toMatchObject({ hit: false, answer: { value: 1 } });
    for (let i = 0; i < 100; i++) await cache.get('k', source.read, now);
    expect(source.reads).toBe(2);
    const waiting = cache.get('k', source.read, { minIndex: 1, waitMs: 20_000, signal: undefined });
    source.change(() => source.index++);
    expect((await waiting).answer.value).toBe(2);
    cache.close();
  });

  it('waits no longer than asked, nor for one who is gone', async () => {
    const source = new Source();
    const cache = new AgentCache(options);
    expect((await cache.get('k', source.read, { minIndex: 1, waitMs: 1, signal: undefined })).answer.value).toBe(1);
    const gone = AbortSignal.timeout(1);
    expect((await cache.get('k', source.read, { minIndex: 1, waitMs: 60_000, signal: gone })).answer.value).toBe(1);
    cache.close();
  });

  it('serves the last value while servers are away, and recovers', async () => {
    const source = new Source();
    const cache = new AgentCache(options);
    await cache.get('k', source.read, now);
    source.change(() => {
      source.failing = true;
    });
    await expect.poll(() => source.reads).toBeGreaterThan(3);
    expect((await cache.get('k', source.read, now)).answer.value).toBe(1);
    source.failing = false;
    source.change(() => source.index++);
    await expect.poll(async () => (await cache.get('k', source.read, now)).answer.value).toBe(2);
    cache.close();
  });

  it('says how old its value is from the moment that nobody keeps it current, until somebody does again', async () => {
    const contacts: ((stands: boolean) => void)[] = [];
    const source = new Source();
    const cache = new AgentCache(options);
    const fetch: Fetch<number> = (minIndex, signal, contact) => {
      contacts.push(contact);
      return source.read(minIndex, signal);
    };
    const get = () => cache.get('k', fetch, now);
    await get();
    expect(contacts).toHaveLength(2);
    const [contact] = contacts;
    contact!(false);
    await expect.poll(async () => (await get()).ageSeconds, { timeout: 5_000 }).toBe(1);
    const old = await get();
    expect(old.answer).toMatchObject({ value: 1, knownLeader: false });
    expect(old.answer.lastContactMs).toBeGreaterThanOrEqual(1_000);
    // Told again (a retry failed): it counts from the first time.
    contact!(false);
    expect((await get()).ageSeconds).toBe(1);
    contact!(true);
    expect(await get()).toMatchObject({ ageSeconds: 0, answer: { knownLeader: true, lastContactMs: 0 } });
    cache.close();
  });

  it('tells the first reader that nothing could be fetched, and tries again for the next', async () => {
    const source = new Source();
    const cache = new AgentCache(options);
    source.failing = true;
    await expect(cache.get('k', source.read, now)).rejects.toThrow('no server');
    source.failing = false;
    expect((await cache.get('k', source.read, now)).hit).toBe(false);
    cache.close();
  });

  it('what cannot be watched is told again when it cannot be fetched, if the reader accepts that', async () => {
    const cache = new AgentCache(options);
    await cache.once('dcs', async () => 'dc1');
    const lost = () => Promise.reject(new Error('no server'));
    expect(await cache.once('dcs', lost)).toEqual({ value: 'dc1', hit: true, ageSeconds: 0 });
    await expect(cache.once('dcs', lost, { maxAgeMs: -1 })).rejects.toThrow('no server');
    expect(await cache.once('dcs', lost, { maxAgeMs: -1, staleIfErrorMs: 60_000 })).toMatchObject({
      value: 'dc1',
      hit: true,
    });
    await expect(cache.once('other', lost, { maxAgeMs: -1, staleIfErrorMs: 60_000 })).rejects.toThrow('no server');
    cache.close();
  });

  it('forgets the least recently read first', async () => {
    const source = new Source();
    const cache = new AgentCache(options);
    for (const key of ['a', 'b', 'a', 'c']) await cache.get(key, source.read, now);
    expect((await cache.get('a', source.read, now)).hit).toBe(true);
    expect((await cache.get('b', source.read, now)).hit).toBe(false);
    cache.close();
  });
});
