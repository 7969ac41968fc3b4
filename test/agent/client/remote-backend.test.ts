// A client agent's choice of server, on a manual clock, with connections that the test answers.
import { describe, expect, it } from 'vitest';
import { RemoteBackend, type ServerConnection } from '../../../src/agent/client/remote-backend.ts';
import { type KnownServer, ServerDirectory } from '../../../src/agent/client/server-directory.ts';
import { type Answer, BackendError, type ReadOptions } from '../../../src/api/backend.ts';
import { NotCarriedOut } from '../../../src/api/rpc/index.ts';
import { Refusal } from '../../../src/fsm/index.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };
const reading: ReadOptions = { caller, consistency: 'default' };
const serversOf = (...names: string[]): KnownServer[] =>
  names.map((name) => ({ id: name, name, address: `${name}:8300` }));
const ok: Answer<never> = {
  value: null as never,
  index: 1,
  knownLeader: true,
  lastContactMs: 0,
  notFound: false,
};
const unreachable = () => Promise.reject(new NotCarriedOut('unreachable', 'connection refused'));
const silent = () => new Promise<never>(() => undefined);

interface Watch {
  readonly server: string;
  readonly signal: AbortSignal;
  told(index: number): void;
  ended(error: Error): void;
}

/** `answers` says how each server answers a request. */
function setUp(answers: Record<string, () => Promise<unknown>>) {
  const clock = new VirtualClock();
  const random = seededRandom('servers');
  let servers = serversOf(...Object.keys(answers));
  const directory = new ServerDirectory(() => servers, { clock, random });
  const asked: string[] = [];
  const abandoned: string[] = [];
  const watches: Watch[] = [];
  const connect = (address: string): ServerConnection => {
    const [name] = address.split(':');
    let give: (error: Error) => void = () => undefined;
    const gone = new Promise<never>((_, reject) => {
      give = reject;
    });
    gone.catch(() => undefined);
    const answer = (): Promise<never> => {
      asked.push(name!);
      return Promise.race([answers[name!]!(), gone]) as Promise<never>;
    };
    return {
      address,
      apply: answer,
      call: answer,
      query: answer,
      watch: (_name, _args, { signal }, told, ended) => {
        watches.push({ server: name!, signal, told: (index) => told({ ...ok, index }), ended });
      },
      saveSnapshot: answer,
      restoreSnapshot: answer,
      abandon: () => {
        abandoned.push(name!);
        give(new NotCarriedOut('unreachable', 'given back'));
      },
      close: () => undefined,
    };
  };
  const log = { info: () => undefined, warn: () => undefined };
  const backend = new RemoteBackend(
    { datacenter: 'dc1', nodeName: 'c1', holdMs: 7_000 },
    { directory, clock, log, connect },
  );
  const remove = (name: string): void => {
    servers = servers.filter((server) => server.name !== name);
    backend.serversChanged();
  };
  return { clock, directory, backend, asked, abandoned, watches, remove };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const write = (backend: RemoteBackend) => backend.apply('kv.set', { Key: 'a', Value: null, Flags: 0 }, caller);

describe('the directory', () => {
  it('prefers one server until it fails, then asks it last', () => {
    const { directory } = setUp({ a: silent, b: silent, c: silent });
    const [first, second] = directory.candidates();
    expect(directory.candidates()[0]).toEqual(first);
    directory.failed(first!.id);
    expect(directory.candidates()[0]).toEqual(second);
    expect(directory.candidates().at(-1)).toEqual(first);
  });

  it('lets every server be preferred by somebody, and changes over within three minutes', () => {
    const preferred = new Map<string, number>();
    let changed = 0;
    for (let agent = 0; agent < 300; agent++) {
      const clock = new VirtualClock();
      const random = seededRandom(`agent ${agent}`);
      const directory = new ServerDirectory(() => serversOf('a', 'b', 'c'), { clock, random });
      const { id } = directory.candidates()[0]!;
      preferred.set(id, (preferred.get(id) ?? 0) + 1);
      clock.advance(180_000);
      if (directory.candidates()[0]!.id !== id) changed++;
    }
    expect(Math.min(...preferred.values())).toBeGreaterThan(60);
    expect(changed).toBeGreaterThan(120);
  });

  it('puts a server that came late behind those that are asked already', () => {
    const clock = new VirtualClock();
    let servers = serversOf('a');
    const directory = new ServerDirectory(() => servers, { clock, random: seededRandom('x') });
    directory.candidates();
    servers = serversOf('b', 'a');
    expect(directory.candidates().map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('a request', () => {
  it('that did nothing for certain is asked of the next server, a write too', async () => {
    const { backend, asked } = setUp({ a: unreachable, b: () => Promise.resolve(true), c: unreachable });
    expect(await write(backend)).toBe(true);
    expect(asked.at(-1)).toBe('b');
  });

  it('whose outcome is unknown is asked again if its second time changes nothing', async () => {
    const cases: ((backend: RemoteBackend) => Promise<unknown>)[] = [
      (backend) => backend.call('status.leader', {}, caller),
      (backend) => backend.call('session.renew', { id: 's' }, caller),
      (backend) => backend.call('ca.sign', { csr: '' }, caller),
      (backend) => backend.apply('session.destroy', { ID: 's' }, caller),
    ];
    for (const request of cases) {
      let broken = 0;
      const once = () =>
        broken++ === 0
          ? Promise.reject(new BackendError('unknownOutcome', 'the connection broke'))
          : Promise.resolve('done');
      const { backend, asked } = setUp({ a: once, b: once });
      expect(await request(backend)).toBe('done');
      expect(new Set(asked).size).toBe(2);
    }
    const lost = () => Promise.reject(new BackendError('unknownOutcome', 'the connection broke'));
    const { backend, asked } = setUp({ a: lost, b: lost });
    const change = { Provider: 'consul', Config: null } as never;
    await expect(backend.call('ca.configure', change, caller)).rejects.toMatchObject({ code: 'unknownOutcome' });
    expect(asked).toHaveLength(1);
  });

  it('whose outcome is unknown is not asked again if it is a write, and is if it is a read', async () => {
    const lost = () => Promise.reject(new BackendError('unknownOutcome', 'the connection broke'));
    const { backend, asked } = setUp({ a: lost, b: lost });
    await expect(write(backend)).rejects.toMatchObject({ code: 'unknownOutcome' });
    expect(asked).toHaveLength(1);
    let broken = true;
    const once = () => {
      if (!broken) return Promise.resolve(ok);
      broken = false;
      return lost();
    };
    const second = setUp({ a: once, b: once });
    expect(await second.backend.query('catalog.services', {}, reading)).toEqual(ok);
    expect(new Set(second.asked).size).toBe(2);
  });

  it('goes round for the hold time and then says what the last server said', async () => {
    const { backend, clock } = setUp({ a: unreachable, b: unreachable });
    const asked = write(backend);
    const failure = expect(asked).rejects.toThrow('rpc error getting client: connection refused');
    for (let i = 0; i <= 70; i++) {
      await settled();
      clock.advance(100);
    }
    await failure;
  });

  it('fails at once when no server is known', async () => {
    await expect(write(setUp({}).backend)).rejects.toMatchObject({ code: 'noServers' });
  });

  it('that reads is asked of a second server when the first is silent for a second', async () => {
    let hangs = true;
    const maybe = () => {
      if (!hangs) return Promise.resolve(ok);
      hangs = false;
      return silent();
    };
    const { backend, clock, asked, directory } = setUp({ a: maybe, b: maybe });
    const answer = backend.query('catalog.services', {}, reading);
    await settled();
    expect(asked).toHaveLength(1);
    clock.advance(1_000);
    expect(await answer).toEqual(ok);
    expect(directory.candidates()[0]!.id).toBe(asked[1]);
    // Only the time for another server is left.
    expect(clock.pendingMs).toHaveLength(1);
  });

  it('that waits at a server which gossip sees fail is given back and asked elsewhere', async () => {
    let hangs = true;
    const maybe = () => {
      if (!hangs) return Promise.resolve(ok);
      hangs = false;
      return silent();
    };
    const { backend, asked, abandoned, remove } = setUp({ a: maybe, b: maybe });
    const answer = backend.query('kv.get', { Key: 'a' } as never, { ...reading, minIndex: 5 });
    await settled();
    remove(asked[0]!);
    expect(await answer).toEqual(ok);
    expect(abandoned).toEqual([asked[0]]);
  });
});

describe('a watch', () => {
  const blocking = { ...reading, minIndex: 4, waitMs: 1_000 };
  const watching = (backend: RemoteBackend) => {
    const answer = backend.query('health.service', { name: 'web' } as never, blocking);
    answer.catch(() => undefined);
    return answer;
  };

  it('moves when the order of servers is drawn anew, and leaves the old server only for one that is as new', async () => {
    const { backend, clock, watches } = setUp({ a: silent, b: silent, c: silent });
    const answer = watching(backend);
    await settled();
    watches[0]!.told(5);
    await answer;
    for (let minutes = 0; watches.length < 2 && minutes < 60; minutes += 3) clock.advance(180_000);
    const [old, next] = watches as [Watch, Watch];
    expect(next.server).not.toBe(old.server);
    next.told(4);
    expect(old.signal.aborted).toBe(false);
    next.told(5);
    expect(old.signal.aborted).toBe(true);
    expect(next.signal.aborted).toBe(false);
    backend.stop();
    expect(clock.pendingMs).toEqual([]);
  });

  it('that hears nothing at first is asked of another server as well; the first that answers is listened to', async () => {
    const { backend, clock, watches } = setUp({ a: silent, b: silent, c: silent });
    const answer = watching(backend);
    await settled();
    expect(watches).toHaveLength(1);
    await clock.advance(1_000);
    expect(watches).toHaveLength(2);
    const [hung, other] = watches as [Watch, Watch];
    expect(other.server).not.toBe(hung.server);
    other.told(5);
    expect(await answer).toMatchObject({ index: 5, knownLeader: true });
    expect([hung.signal.aborted, other.signal.aborted]).toEqual([true, false]);
    hung.told(3);
    expect(await watching(backend)).toMatchObject({ index: 5 });
    expect(backend.topics.broken).toBe(0);
    other.ended(new NotCarriedOut('unreachable', 'broken'));
    expect(backend.topics.broken).toBe(1);
    backend.stop();
  });

  it('that was answered in time asks nobody else', async () => {
    const { backend, clock, watches } = setUp({ a: silent, b: silent });
    const answer = watching(backend);
    await settled();
    watches[0]!.told(5);
    await answer;
    await clock.advance(60_000);
    expect(watches).toHaveLength(1);
    backend.stop();
  });

  it('goes on at the slow server when the other one fails, and a refusal ends it at both', async () => {
    const { backend, clock, watches } = setUp({ a: silent, b: silent });
    const slow = watching(backend);
    await settled();
    await clock.advance(1_000);
    watches[1]!.ended(new NotCarriedOut('unreachable', 'broken'));
    expect(backend.topics.broken).toBe(0);
    watches[0]!.told(5);
    expect(await slow).toMatchObject({ index: 5 });

    const refused = backend.query('catalog.nodes', {} as never, blocking);
    await settled();
    await clock.advance(1_000);
    expect(watches).toHaveLength(4);
    watches[3]!.ended(new Refusal('failed', 'Permission denied'));
    await expect(refused).rejects.toThrow('Permission denied');
    expect(watches[2]!.signal.aborted).toBe(true);
    backend.stop();
  });

  it('of a caller who waits a second for news holds the hold time for a first answer, then says that there is none', async () => {
    const { backend, clock } = setUp({ a: silent, b: silent });
    let outcome = '';
    watching(backend).then(
      () => undefined,
      (error: Error) => {
        outcome = error.message;
      },
    );
    await settled();
    await clock.advance(6_900);
    expect(outcome).toBe('');
    await clock.advance(200);
    await settled();
    expect(outcome).toBe('no server answered in time');
    backend.stop();
  });
});
