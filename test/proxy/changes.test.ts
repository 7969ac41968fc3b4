/**
 * What a sidecar does when the world changes under it: configuration, certificates, the agent, the instances, and its own
 * end. Connections that are open must not notice, unless they are meant to.
 */
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { otherKeyPem, spiffe, TestAuthority } from './support/authority.ts';
import { FakeAgent, loopback } from './support/fake-agent.ts';
import {
  application,
  attempt,
  dial,
  echo,
  ending,
  exchange,
  follow,
  freePort,
  listening,
  refusal,
  registration,
  type Started,
} from './support/mesh.ts';

let authority: TestAuthority;
let agent: FakeAgent;
let database: { port: number; server: Server };
let web: Started;
let db: Started;
let ports: { db: number; upstream: number };
const open: Socket[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  database = await application(echo);
  agent = await new FakeAgent().start();
  ports = { db: await freePort(), upstream: await freePort() };
  agent.roots(authority);
  agent.leaf('web', authority.issue('web'));
  agent.leaf('db', authority.issue('db'));
  agent.intentions('db');
  agent.service('db-sidecar-proxy', registration('db', { port: ports.db, application: database.port }));
  agent.service('web-sidecar-proxy', webRegistration({ db: ports.upstream }));
  agent.health('db', dbInstance());
  db = follow(agent, 'db-sidecar-proxy');
  web = follow(agent, 'web-sidecar-proxy');
  await Promise.all([listening(db.book, 'public'), listening(web.book, 'upstream db')]);
  await web.book.seen((line) => line.message === 'instances');
  await web.book.seen((line) => line.message === 'parsed TLS identity');
});

afterEach(async () => {
  await Promise.all([web.sidecar.stop(0), db.sidecar.stop(0)]);
  await agent.stop();
  for (const socket of open.splice(0)) socket.destroy();
  database.server.close();
});

const dbInstance = () => ({ id: 'db-sidecar-proxy', address: loopback, port: ports.db });
const webRegistration = (upstreams: Record<string, number>, config = {}) =>
  registration('web', { port: 0, application: 1, upstreams, config });

async function conversation(): Promise<{ socket: Socket; say: (text: string) => Promise<string> }> {
  const socket = await dial(ports.upstream);
  open.push(socket);
  const say = async (text: string): Promise<string> => {
    socket.write(text);
    const [answer] = await once(socket, 'data');
    return String(answer);
  };
  expect(await say('first')).toBe('first');
  return { socket, say };
}

describe('configuration', () => {
  it('opens listeners for new upstreams and closes those of removed ones, leaving their connections', async () => {
    const { say } = await conversation();
    const moved = await freePort();
    agent.service('web-sidecar-proxy', webRegistration({ db: moved }));
    await web.book.seen(
      (line) => line.message === 'starting listener' && line.fields.address === `${loopback}:${moved}`,
    );
    expect(await exchange(moved, 'new door')).toBe('new door');
    await expect(dial(ports.upstream)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await say('still here')).toBe('still here');
    expect(web.sidecar.activeConnections).toBe(1);
  });

  it('moves the public listener, leaving its connections under the rule of intentions', async () => {
    const { socket, say } = await conversation();
    const moved = await freePort();
    agent.service('db-sidecar-proxy', registration('db', { port: moved, application: database.port }));
    agent.health('db', { ...dbInstance(), port: moved });
    await db.book.seen((line) => line.fields.listener === 'public' && line.fields.address === `${loopback}:${moved}`);
    await expect.poll(() => exchange(ports.upstream, 'x').catch(() => 'not yet')).toBe('x');
    expect(await say('still here')).toBe('still here');

    const ended = ending(socket);
    agent.intentions('db', ['web', 'deny']);
    expect(await ended).toBe('ECONNRESET');
  });

  it('leads an unchanged door to another destination', async () => {
    agent.service('web-sidecar-proxy', webRegistration({ other: ports.upstream }));
    agent.health('other');
    await expect.poll(() => agent.requests.some((request) => request.includes('/health/connect/other'))).toBe(true);
    expect(await attempt(ports.upstream)).toBe('ECONNRESET');
    expect((await refusal(web.book, 'no_endpoints')).fields).toMatchObject({ upstream: 'other' });
  });

  it('keeps trying a port that is taken, and serves once it is free', async () => {
    const { port, server } = await application(() => {});
    agent.service('web-sidecar-proxy', webRegistration({ db: port }));
    const failed = await web.book.seen((line) => line.message === 'listener cannot start, trying again');
    expect(failed.fields).toMatchObject({ reason: 'EADDRINUSE', address: `${loopback}:${port}` });
    server.close();
    await web.book.seen(
      (line) => line.message === 'starting listener' && line.fields.address === `${loopback}:${port}`,
    );
    expect(await exchange(port, 'x')).toBe('x');
  });

  it('serves unix sockets, with the mode asked for, and takes over the file of a killed process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-sockets-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [app, upstream] = [join(folder, 'app.sock'), join(folder, 'db.sock')];
    const server = createServer({ allowHalfOpen: true }, echo).listen(app);
    const stale = createServer().listen(upstream);
    await Promise.all([once(server, 'listening'), once(stale, 'listening')]);
    renameSync(upstream, `${upstream}.kept`); // closing removes the path it knows, and leaves this one
    stale.close();
    renameSync(`${upstream}.kept`, upstream);
    const sidecar = registration('db', { port: ports.db, application: 0 });
    Object.assign(sidecar.Proxy as object, { LocalServiceSocketPath: app });
    agent.service('db-sidecar-proxy', sidecar);
    const caller = webRegistration({ db: ports.upstream });
    const listen = { DestinationName: 'db', LocalBindSocketPath: upstream, LocalBindSocketMode: '0640' };
    Object.assign(caller.Proxy as object, { Upstreams: [listen] });
    agent.service('web-sidecar-proxy', caller);
    await web.book.seen((line) => line.message === 'starting listener' && line.fields.address === `unix:${upstream}`);
    expect(statSync(upstream).mode & 0o777).toBe(0o640);
    await expect.poll(() => agent.requests.filter((r) => r.includes('db-sidecar-proxy?hash')).length).toBe(2);
    const client = connect({ path: upstream, allowHalfOpen: true });
    client.end('through files');
    let all = '';
    for await (const chunk of client) all += String(chunk);
    expect(all).toBe('through files');
    server.close();
  });

  it('refuses connections beyond the limits, and says so', async () => {
    const config = { max_inbound_connections: 1 };
    agent.service('db-sidecar-proxy', registration('db', { port: ports.db, application: database.port, config }));
    await expect.poll(() => agent.requests.filter((r) => r.includes('db-sidecar-proxy?hash')).length).toBe(2);
    const { say } = await conversation();
    await attempt(ports.upstream);
    await refusal(db.book, 'limit');
    expect(await say('the first one stays')).toBe('the first one stays');
  });

  it('refuses a prepared query with a clear text and serves the rest', async () => {
    const at = webRegistration({ db: ports.upstream });
    const upstreams = (at.Proxy as { Upstreams: unknown[] }).Upstreams;
    upstreams.push({ DestinationType: 'prepared_query', DestinationName: 'nearest', LocalBindPort: 1 });
    agent.service('web-sidecar-proxy', at);
    const line = await web.book.seen((entry) => entry.message === 'cannot use part of the configuration');
    expect(line.fields).toEqual({
      what: 'upstream nearest',
      reason: "upstreams of type prepared_query are not supported by the built-in proxy. Can't start upstream.",
    });
    expect(await exchange(ports.upstream, 'x')).toBe('x');
  });

  it('keeps what it runs when the registration becomes something else or goes away', async () => {
    agent.service('db-sidecar-proxy', { Kind: 'mesh-gateway', Proxy: {} });
    await db.book.seen((line) => String(line.fields.reason).includes('service is not a valid connect proxy'));
    expect(await exchange(ports.upstream, 'x')).toBe('x');
    agent.service('db-sidecar-proxy', null);
    await db.book.seen((line) => String(line.fields.reason).includes('unknown service ID: db-sidecar-proxy'));
    expect(await exchange(ports.upstream, 'y')).toBe('y');
  });
});

describe('certificates', () => {
  it('serves new connections with a renewed leaf and keeps the open ones', async () => {
    const { say } = await conversation();
    agent.leaf('db', authority.issue('db'));
    agent.leaf('web', authority.issue('web'));
    for (const { book } of [db, web]) {
      await book.seen((line) => line.message === 'new TLS identity for new connections');
    }
    expect(await exchange(ports.upstream, 'renewed')).toBe('renewed');
    expect(await say('still here')).toBe('still here');
  });

  it('survives a rotation of the root in every order of arrival', async () => {
    const { say } = await conversation();
    const next = await TestAuthority.create('next');
    next.intermediatesPem = authority.crossSign(next);
    // db renews first and web does not know the new root yet: the cross-signed intermediate bridges the gap.
    agent.leaf('db', next.issue('db'));
    await db.book.seen((line) => line.message === 'new TLS identity for new connections');
    expect(await exchange(ports.upstream, 'new leaf, old root')).toBe('new leaf, old root');
    agent.roots(authority, next);
    await expect.poll(() => web.book.lines.filter((line) => line.fields.roots === 2).length).toBe(1);
    await expect.poll(() => db.book.lines.filter((line) => line.fields.roots === 2).length).toBe(1);
    expect(await exchange(ports.upstream, 'both roots')).toBe('both roots');
    agent.leaf('web', next.issue('web'));
    agent.roots(next);
    await expect.poll(() => db.book.lines.filter((line) => line.fields.roots === 1).length).toBeGreaterThan(1);
    await expect.poll(() => exchange(ports.upstream, 'new root').catch(() => 'not yet')).toBe('new root');
    expect(await say('nobody dropped')).toBe('nobody dropped');
  });

  it('keeps the previous identity when the new one does not fit together', async () => {
    agent.leaf('db', { ...authority.issue('db'), keyPem: await otherKeyPem() });
    const line = await db.book.seen((entry) => entry.level === 'error');
    expect(line.fields.reason).toBe('the private key does not belong to the leaf certificate');
    expect(JSON.stringify(db.book.lines)).not.toContain('PRIVATE KEY');
    expect(await exchange(ports.upstream, 'x')).toBe('x');
  });
});

describe('the agent', () => {
  it('may go away: all goes on with what was known, and its return is noticed', async () => {
    const { socket, say } = await conversation();
    await agent.stop();
    await db.book.seen((line) => line.message.startsWith('the agent cannot be reached, going on'));
    expect(await say('still here')).toBe('still here');
    expect(await exchange(ports.upstream, 'new ones too')).toBe('new ones too');
    expect(db.book.lines.filter((line) => line.message.startsWith('the agent cannot')).length).toBe(1);

    await agent.start();
    await db.book.seen((line) => line.message === 'the agent answers again');
    const ended = ending(socket);
    agent.intentions('db', ['web', 'deny']);
    expect(await ended).toBe('ECONNRESET');
  });
});

describe('instances', () => {
  it('tries the next one when a dial fails, and passes the dead one over', async () => {
    const dead = await freePort();
    agent.health('db', { id: 'dead', address: loopback, port: dead }, dbInstance());
    await expect.poll(() => web.book.lines.filter((line) => line.fields.healthy === 2).length).toBe(1);
    const startedMs = performance.now();
    for (let i = 0; i < 20; i++) expect(await exchange(ports.upstream, `n${i}`)).toBe(`n${i}`);
    const failed = web.book.lines.filter((line) => line.message === 'failed to dial');
    // It is tried again at most once in each second.
    expect(failed.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - startedMs) / 1_000));
    expect(web.sidecar.counters.upstreams.get('db')?.failed).toEqual({});
  });

  it('does not talk to an instance that is somebody else', async () => {
    agent.leaf('db', authority.issue('impostor'));
    await db.book.seen((line) => line.message === 'new TLS identity for new connections');
    expect(await attempt(ports.upstream)).toBe('ECONNRESET');
    const line = await refusal(web.book, 'identity_mismatch');
    expect(line.fields.reason).toBe(`peer certificate mismatch got ${spiffe('impostor')}, want service db in dc1`);
  });

  it('gives up after the connect timeout on one that accepts and says nothing', async () => {
    const mute = await application(() => {});
    const at = webRegistration({ db: ports.upstream });
    (at.Proxy as { Upstreams: { Config?: unknown }[] }).Upstreams[0]!.Config = { connect_timeout_ms: 30 };
    agent.service('web-sidecar-proxy', at);
    agent.health('db', { id: 'mute', address: loopback, port: mute.port });
    await expect.poll(() => agent.requests.filter((r) => r.includes('web-sidecar-proxy?hash')).length).toBe(2);
    await expect.poll(() => web.book.lines.filter((line) => line.message === 'instances').length).toBe(2);
    expect(await attempt(ports.upstream)).toBe('ECONNRESET');
    expect((await refusal(web.book, 'dial_timeout')).fields).toMatchObject({ instance: 'n1/mute' });
    mute.server.close();
  });

  it('refuses when none is healthy', async () => {
    agent.health('db');
    await expect.poll(() => web.book.lines.filter((line) => line.fields.healthy === 0).length).toBe(1);
    expect(await attempt(ports.upstream)).toBe('ECONNRESET');
    expect((await refusal(web.book, 'no_endpoints')).fields).toMatchObject({ reason: 'no healthy instances found' });
  });
});

describe('the end', () => {
  it('stops accepting at once and waits for what is open', async () => {
    const { socket, say } = await conversation();
    const stopped = web.sidecar.stop(60_000);
    await expect(dial(ports.upstream)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await say('finishing')).toBe('finishing');
    socket.end();
    expect(await stopped).toEqual({ cut: 0 });
  });

  it('cuts what is left when the time is over', async () => {
    const { socket } = await conversation();
    const ended = ending(socket);
    expect(await web.sidecar.stop(0)).toEqual({ cut: 1 });
    expect(await ended).toBe('ECONNRESET');
  });
});

describe('a storm', () => {
  it('of connections that are cut at any moment, while data flows both ways, leaves nothing behind', async () => {
    const block = Buffer.alloc(100_000, 7);
    const flood = async (): Promise<string> => {
      const socket = await dial(ports.upstream);
      open.push(socket);
      const pump = (): void => {
        while (!socket.destroyed && socket.write(block));
      };
      socket.on('drain', pump);
      pump();
      return ending(socket);
    };
    for (let round = 0; round < 8; round++) {
      const floods = Array.from({ length: 12 }, flood);
      // The decision arrives while some still shake hands and others are in full flow.
      await expect.poll(() => db.sidecar.counters.inbound.active).toBeGreaterThan(0);
      agent.intentions('db', ['web', 'deny']);
      // A reset that arrives together with data is reported as an end (libuv); either way the connection is over.
      for (const how of await Promise.all(floods)) expect(['ECONNRESET', 'EPIPE', 'end']).toContain(how);
      agent.intentions('db', ['web', 'allow']);
      await expect.poll(() => exchange(ports.upstream, 'calm').catch(() => 'not yet')).toBe('calm');
    }
    await expect.poll(() => [web, db].map(({ sidecar }) => sidecar.activeConnections)).toEqual([0, 0]);
    expect(db.sidecar.counters.inbound.active).toBe(0);
    expect(web.sidecar.counters.upstreams.get('db')?.active).toBe(0);
  });
});
