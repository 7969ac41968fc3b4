/** A real gRPC server and connection on loopback over a backend that the test holds: what is asked arrives, what is thrown too. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Backend, ReadOptions, Snapshots } from '../../../src/api/backend.ts';
import { BackendError } from '../../../src/api/backend.ts';
import { Connection, NotCarriedOut, RpcDoor } from '../../../src/api/rpc/index.ts';
import { Refusal } from '../../../src/fsm/index.ts';

const caller = { token: 't', address: '10.0.0.1:99', call: 'PUT /v1/kv/a', datacenter: '' };
const read = (more: Partial<ReadOptions> = {}): ReadOptions => ({ caller, consistency: 'default', ...more });

class TestBackend implements Pick<Backend, 'apply' | 'query' | 'call'> {
  readonly asked: unknown[][] = [];
  leading = true;
  onApply: (args: unknown) => unknown = () => true;
  onQuery: (args: unknown, options: ReadOptions) => Promise<Answer<unknown>> = () =>
    Promise.resolve({ value: null, index: 7, knownLeader: true, lastContactMs: 0, notFound: true });

  apply(...words: unknown[]): Promise<never> {
    this.asked.push(words);
    return Promise.resolve(this.onApply(words[1])) as Promise<never>;
  }
  query(...words: unknown[]): Promise<never> {
    this.asked.push(words);
    return this.onQuery(words[1], words[2] as ReadOptions) as Promise<never>;
  }
  call(...words: unknown[]): Promise<never> {
    this.asked.push(words);
    return Promise.resolve(words[1]) as Promise<never>;
  }
}

let server: Server;
let backend: TestBackend;
let unexpected: unknown[];
let address: string;
const connections: Connection[] = [];
const restored: Buffer[] = [];
const snapshots: Snapshots = {
  save: () =>
    Promise.resolve({
      index: 9,
      knownLeader: true,
      lastContactMs: 0,
      archive: (async function* () {
        yield new Uint8Array(200_000).fill(1);
        yield new Uint8Array([2, 3]);
      })(),
    }),
  async restore(archive) {
    for await (const data of archive) restored.push(Buffer.from(data));
    if (restored.length === 0) throw new Refusal('failed', 'failed to decompress snapshot: EOF');
  },
};

beforeEach(async () => {
  backend = new TestBackend();
  unexpected = [];
  restored.length = 0;
  server = new Server();
  const door = new RpcDoor({
    backend: {
      datacenter: 'dc1',
      nodeName: 's1',
      apply: backend.apply.bind(backend),
      query: backend.query.bind(backend),
      call: backend.call.bind(backend),
    } as Backend,
    snapshots,
    leading: () => backend.leading,
    onUnexpected: (error) => unexpected.push(error),
    requestsMax: 100,
  });
  door.register(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  address = `127.0.0.1:${port}`;
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  server.forceShutdown();
});

function connect(forwarded = false): Connection {
  const connection = new Connection({ address, forwarded });
  connections.push(connection);
  return connection;
}

describe('a request', () => {
  it('arrives with its arguments, its caller and its bytes', async () => {
    const args = { Key: 'a', Value: Buffer.from([0, 255]), Flags: 2n ** 64n - 1n };
    expect(await connect().apply('kv.set', args, caller)).toBe(true);
    expect(backend.asked).toEqual([['kv.set', args, caller]]);
  });

  it('carries read options and brings back index and contact', async () => {
    const answer = await connect().query(
      'kv.get',
      { key: 'a' },
      read({ consistency: 'stale', minIndex: 6, waitMs: 500, maxStaleMs: 20 }),
    );
    expect(answer).toEqual({ value: null, index: 7, knownLeader: true, lastContactMs: 0, notFound: true });
    expect(backend.asked[0]?.[2]).toMatchObject({ consistency: 'stale', minIndex: 6, waitMs: 500, maxStaleMs: 20 });
  });

  it('is one of many: many at once, each with its own answer', async () => {
    backend.onApply = (args) => (args as { Key: string }).Key;
    const connection = connect();
    const keys = Array.from({ length: 90 }, (_, i) => `k${i}`);
    const results = await Promise.all(
      keys.map((Key) => connection.apply('kv.set', { Key, Value: null, Flags: 0 }, caller)),
    );
    expect(results).toEqual(keys);
    expect(connection.underWay).toBe(0);
  });
});

describe('a failure', () => {
  it.each([
    [
      'a refusal',
      () => new Refusal('notFound', 'no such thing', { key: 'a' }),
      Refusal,
      { code: 'notFound', message: 'no such thing', fields: { key: 'a' } },
    ],
    ['the backend', () => new BackendError('noLeader', 'No cluster leader'), BackendError, { code: 'noLeader' }],
    ['something unexpected', () => new TypeError('x is undefined'), Error, { message: 'x is undefined' }],
  ])('of %s is thrown here as it was there', async (_, make, type, shape) => {
    backend.onApply = () => {
      throw make();
    };
    const failure = await connect()
      .apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect(failure).toMatchObject(shape);
    expect(unexpected.length).toBe(make() instanceof TypeError ? 1 : 0);
  });

  it('of a name that this release does not know is a refusal, not a crash', async () => {
    const failure = connect().apply('no.such' as 'kv.set', { Key: 'a', Value: null, Flags: 0 }, caller);
    await expect(failure).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('no.such') as string,
    });
    await expect(connect().apply('constructor' as 'kv.set', {} as never, caller)).rejects.toBeInstanceOf(Refusal);
  });

  it('of a command that only the duties of a leader may propose is refused, forwarded or not', async () => {
    for (const connection of [connect(), connect(true)]) {
      const failure = connection.apply('ca.nextSerial', {}, caller);
      await expect(failure).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('ca.nextSerial'),
      });
    }
    expect(backend.asked).toEqual([]);
  });

  it('says for certain that nothing happened when the server that was passed a request does not lead', async () => {
    backend.leading = false;
    await expect(connect(true).apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller)).rejects.toBeInstanceOf(
      NotCarriedOut,
    );
    expect(backend.asked).toEqual([]);
  });

  it('says for certain that nothing happened when nobody listens', async () => {
    server.forceShutdown();
    const gone = new Connection({ address: '127.0.0.1:1', forwarded: false });
    connections.push(gone);
    await expect(gone.apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller)).rejects.toBeInstanceOf(
      NotCarriedOut,
    );
  });

  it('leaves the outcome of a write unknown, and of a read certain, when the server dies meanwhile', async () => {
    let arrived: () => void = () => undefined;
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    backend.onApply = () => {
      arrived();
      return new Promise(() => undefined);
    };
    backend.onQuery = () => new Promise(() => undefined);
    const connection = connect();
    const write = connection
      .apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller)
      .catch((error: unknown) => error);
    const reading = connection.query('kv.get', { key: 'a' }, read()).catch((error: unknown) => error);
    await there;
    server.forceShutdown();
    expect(await write).toMatchObject({ code: 'unknownOutcome' });
    expect(await reading).toBeInstanceOf(NotCarriedOut);
  });
});

it('gives up what waits at a server that is not to be waited for: reads for certain, writes with an unknown outcome', async () => {
  backend.onApply = () => new Promise(() => undefined);
  backend.onQuery = () => new Promise(() => undefined);
  const connection = connect(true);
  const write = connection
    .apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller)
    .catch((error: unknown) => error);
  const reading = connection.query('kv.get', { key: 'a' }, read()).catch((error: unknown) => error);
  while (backend.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  connection.abandon('another server leads now');
  expect(await write).toMatchObject({ code: 'unknownOutcome' });
  expect(await reading).toBeInstanceOf(NotCarriedOut);
});

it('tells the server when the caller of a blocking read has gone', async () => {
  const aborted = new Promise<void>((resolve) => {
    backend.onQuery = (_, options) =>
      new Promise((_resolve, reject) =>
        options.signal?.addEventListener('abort', () => {
          resolve();
          reject(new Error('gone'));
        }),
      );
  });
  const controller = new AbortController();
  const reading = connect().query('kv.get', { key: 'a' }, read({ minIndex: 5, signal: controller.signal }));
  const failed = expect(reading).rejects.toThrow();
  while (backend.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await failed;
  await aborted;
  expect(unexpected).toEqual([]);
});

it('watches: the answer now, then each change, until it is ended', async () => {
  const indexes = [3, 4, 6];
  backend.onQuery = (_, options) => {
    const index = indexes.find((each) => each > (options.minIndex ?? 0));
    return index === undefined
      ? new Promise((_resolve, reject) => options.signal?.addEventListener('abort', () => reject(new Error('gone'))))
      : Promise.resolve({ value: { Key: `at ${index}` }, index, knownLeader: true, lastContactMs: 0, notFound: false });
  };
  const controller = new AbortController();
  const seen: number[] = [];
  await new Promise<void>((resolve, reject) => {
    connect().watch(
      'kv.get',
      { key: 'a' },
      { ...read(), signal: controller.signal },
      (answer) => {
        seen.push(answer.index);
        if (answer.index === 6) resolve();
      },
      reject,
    );
  });
  controller.abort();
  expect(seen).toEqual([3, 4, 6]);
});

it('watches a table that was never written without asking again and again', async () => {
  let asked = 0;
  const changed: ((answer: Answer<unknown>) => void)[] = [];
  const answerAt = (index: number) => ({ value: null, index, knownLeader: true, lastContactMs: 0, notFound: false });
  backend.onQuery = (_, { minIndex = 0, signal }) => {
    // An endless loop would not let this test fail.
    if (++asked > 100) return Promise.reject(new Error('asked again and again'));
    if (minIndex === 0) return Promise.resolve(answerAt(0));
    return new Promise((resolve, reject) => {
      changed.push(resolve);
      signal?.addEventListener('abort', () => reject(new Error('gone')));
    });
  };
  const controller = new AbortController();
  const seen: number[] = [];
  await new Promise<void>((resolve, reject) => {
    connect().watch(
      'configEntry.list',
      { kind: '' },
      { ...read(), signal: controller.signal },
      ({ index }) => {
        seen.push(index);
        if (index === 0) setImmediate(() => changed[0]?.(answerAt(5)));
        else resolve();
      },
      reject,
    );
  });
  controller.abort();
  expect(seen).toEqual([0, 5]);
  expect(asked).toBeLessThanOrEqual(3);
});

it('carries a snapshot both ways, and its refusal', async () => {
  const saved = await connect().saveSnapshot({ caller, consistency: 'default' });
  const parts: Uint8Array[] = [];
  for await (const part of saved.archive) parts.push(part);
  const archive = Buffer.concat(parts);
  expect([saved.index, archive.length, archive.at(-1)]).toEqual([9, 200_002, 3]);
  const source = async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
  };
  await connect().restoreSnapshot(source(archive), caller);
  expect(Buffer.concat(restored).equals(archive)).toBe(true);
  restored.length = 0;
  await expect(connect().restoreSnapshot(source(Buffer.alloc(0)), caller)).rejects.toMatchObject({
    message: 'failed to decompress snapshot: EOF',
  });
});

it('refuses as overloaded what would pass the bytes that may wait for a leader that does not answer, and takes more when it does', async () => {
  let answer = (): void => {};
  const gate = new Promise<boolean>((resolve) => {
    answer = () => resolve(true);
  });
  backend.onApply = () => gate;
  const connection = new Connection({ address, forwarded: false, underWayBytesMax: 1_000_000 });
  connections.push(connection);
  const put = () => connection.apply('kv.set', { Key: 'a', Value: new Uint8Array(300_000), Flags: 0 }, caller);
  const taken = [put(), put(), put()];
  for (let i = 0; i < 10; i++) await expect(put()).rejects.toMatchObject({ code: 'overloaded' });
  expect(connection.underWayBytes).toBeLessThanOrEqual(1_000_000);
  answer();
  expect(await Promise.all(taken)).toEqual([true, true, true]);
  expect(connection.underWayBytes).toBe(0);
  expect(await put()).toBe(true);
});
