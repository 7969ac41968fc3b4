/**
 * Two sidecars, `web` calling `db`, over real TLS and a simulated agent: what gets through, what is refused and why, and
 * what survives a change.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spiffe, TestAuthority } from './support/authority.ts';
import { FakeAgent, loopback } from './support/fake-agent.ts';
import {
  application,
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
const databaseConnections = new Set<Socket>();
let onDatabaseConnection: (socket: Socket) => void = echo;
let web: Started;
let db: Started;
let ports: { db: number; upstream: number };

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  onDatabaseConnection = echo;
  databaseConnections.clear();
  database = await application((socket) => {
    databaseConnections.add(socket);
    onDatabaseConnection(socket);
  });
  agent = await new FakeAgent().start();
  ports = { db: await freePort(), upstream: await freePort() };
  agent.roots(authority);
  agent.leaf('web', authority.issue('web'));
  agent.leaf('db', authority.issue('db'));
  agent.intentions('db');
  agent.service('db-sidecar-proxy', registration('db', { port: ports.db, application: database.port }));
  agent.service('web-sidecar-proxy', {
    ...registration('web', { port: 0, application: 1, upstreams: { db: ports.upstream } }),
  });
  agent.health('db', { id: 'db-sidecar-proxy', address: loopback, port: ports.db });
  db = follow(agent, 'db-sidecar-proxy');
  web = follow(agent, 'web-sidecar-proxy');
  await Promise.all([listening(db.book, 'public'), listening(web.book, 'upstream db')]);
  await web.book.seen((line) => line.message === 'instances');
  await web.book.seen((line) => line.message === 'parsed TLS identity');
});

afterEach(async () => {
  await Promise.all([web.sidecar.stop(0), db.sidecar.stop(0)]);
  await agent.stop();
  for (const socket of databaseConnections) socket.destroy();
  database.server.close();
});

describe('traffic', () => {
  it('carries bytes both ways and counts them', async () => {
    expect(await exchange(ports.upstream, 'select 1')).toBe('select 1');
    await db.book.seen((line) => line.message === 'connection closed');
    await web.book.seen((line) => line.message === 'connection closed');
    const expected = { connections: 1, active: 0, bytesSent: 8, bytesReceived: 8 };
    expect(web.sidecar.counters.upstreams.get('db')).toMatchObject(expected);
    expect(db.sidecar.counters.inbound).toMatchObject(expected);
    expect(db.sidecar.counters.inbound.sources.get('web')).toMatchObject(expected);
  });

  it('passes an end on and keeps the other direction open, from either side', async () => {
    onDatabaseConnection = (socket) => {
      socket.write('question?');
      socket.on('end', () => socket.end(' late answer'));
      socket.resume();
    };
    expect(await exchange(ports.upstream, 'x')).toBe('question? late answer');

    onDatabaseConnection = (socket) => {
      socket.end('greeting');
      socket.once('data', (chunk) => databaseSaw(String(chunk)));
    };
    let databaseSaw: (text: string) => void = () => {};
    const saw = new Promise<string>((resolve) => {
      databaseSaw = resolve;
    });
    const client = await dial(ports.upstream);
    expect(await ending(client)).toBe('end');
    client.end('after the server said its last');
    expect(await saw).toBe('after the server said its last');
  });

  it('holds a fast sender back while the receiver does not read, and loses nothing', async () => {
    onDatabaseConnection = (socket) => {
      socket.pause();
    };
    const client = await dial(ports.upstream);
    const chunk = Buffer.alloc(1 << 20, 7);
    let sent = 0;
    const accepted = await db.book.seen((line) => line.message === 'connection accepted');
    expect(accepted.fields.source).toBe(spiffe('web'));
    // Far more than all buffers on the way: the kernel must stop us.
    while (client.write(chunk) || client.writableLength < 4 << 20) sent += chunk.length;
    sent += chunk.length;
    const total = 64 << 20;
    while (sent < total) {
      client.write(chunk);
      sent += chunk.length;
    }
    client.end();
    expect(client.writableLength).toBeGreaterThan(32 << 20);
    const [socket] = [...databaseConnections];
    let received = 0;
    for await (const part of socket!) received += (part as Buffer).length;
    expect(received).toBe(sent);
  });

  it('passes a reset on as a failure, not as an end', async () => {
    onDatabaseConnection = (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    };
    const client = await dial(ports.upstream);
    client.write('x');
    expect(await ending(client)).toBe('ECONNRESET');
  });
});

describe('who may come in', () => {
  it('refuses a denied source before the application hears of it, with the reason', async () => {
    agent.intentions('db', ['web', 'deny']);
    await expect.poll(() => db.sidecar.counters).toBeDefined();
    const client = await dial(ports.upstream);
    client.write('x');
    expect(await ending(client)).toBe('ECONNRESET');
    const line = await refusal(db.book, 'denied');
    expect(line.fields).toMatchObject({
      source: spiffe('web'),
      reason: 'Matched L4 intention: default/web => default/db (Precedence: 9, Action: DENY)',
    });
    expect(databaseConnections.size).toBe(0);
    expect(db.sidecar.counters.inbound.refused).toEqual({ denied: 1 });
    await web.book.seen((entry) => entry.message.startsWith('the peer hung up without an answer'));
  });

  it('cuts open connections that a change denies, leaves the others, and lets in again when it allows', async () => {
    const client = await dial(ports.upstream);
    client.write('hello');
    await once(client, 'data');
    const ended = ending(client);
    agent.intentions('db', ['web', 'deny']);
    expect(await ended).toBe('ECONNRESET');
    const line = await refusal(db.book, 'cut');
    expect(line.fields).toMatchObject({ source: spiffe('web') });

    agent.intentions('db', ['web', 'allow'], ['*', 'deny']);
    await expect.poll(() => exchange(ports.upstream, 'again').catch(() => 'refused')).toBe('again');
  });

  it('keeps what a change still allows', async () => {
    const client = await dial(ports.upstream);
    client.write('hello');
    await once(client, 'data');
    agent.intentions('db', ['other', 'deny']);
    await expect.poll(() => agent.requests.filter((r) => r.includes('match') && r.includes('index=')).length).toBe(2);
    client.write('still here');
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('still here');
    client.destroy();
  });

  const strangers = [
    { name: 'no certificate', refusal: 'no_client_certificate', leaf: () => null },
    { name: 'a certificate of another authority', refusal: 'untrusted_certificate', leaf: () => stranger.issue('web') },
    {
      name: 'an expired certificate',
      refusal: 'untrusted_certificate',
      leaf: () => authority.issue('web', { nowMs: Date.now() - 3_600_000, ttlMs: 1_800_000 }),
    },
    {
      name: 'two identities',
      refusal: 'invalid_identity',
      leaf: () => authority.issue('web', { uris: [spiffe('web'), spiffe('db')] }),
    },
    { name: 'no identity', refusal: 'invalid_identity', leaf: () => authority.issue('web', { uris: [] }) },
    {
      name: 'the identity of a host',
      refusal: 'invalid_identity',
      leaf: () => authority.issue('web', { uris: ['spiffe://x.consul/agent/client/dc/dc1/id/n'] }),
    },
    {
      name: 'the identity of another mesh',
      refusal: 'denied',
      leaf: () => authority.issue('web', { uris: [spiffe('web', 'dc1', 'other.consul')] }),
    },
  ] as const;
  let stranger: TestAuthority;
  beforeAll(async () => {
    stranger = await TestAuthority.create('stranger');
  });

  it.each(strangers)('refuses $name as $refusal', async ({ refusal: code, leaf }) => {
    const issued = leaf();
    const client = connectTls({
      host: loopback,
      port: ports.db,
      ca: authority.rootPem,
      checkServerIdentity: () => undefined,
      ...(issued !== null && { cert: issued.certPem, key: issued.keyPem }),
    });
    client.on('error', () => {});
    client.write('x');
    await refusal(db.book, code);
    expect(databaseConnections.size).toBe(0);
    expect(db.sidecar.counters.inbound.refused).toEqual({ [code]: 1 });
    client.destroy();
  });

  it.each([
    { name: 'a stranger', leaf: () => stranger.issue('web'), refusal: 'untrusted_certificate' },
    { name: 'one without a certificate', leaf: () => null, refusal: 'no_client_certificate' },
  ])('does not let $name in by resuming the session of a refused connection', async ({ leaf, refusal: code }) => {
    const issued = leaf();
    const attemptWith = (session?: Buffer): Promise<{ reused: boolean; ticket: Buffer | undefined }> =>
      new Promise((resolve) => {
        let ticket: Buffer | undefined;
        const client = connectTls({
          host: loopback,
          port: ports.db,
          ca: authority.rootPem,
          checkServerIdentity: () => undefined,
          ...(session && { session }),
          ...(issued !== null && { cert: issued.certPem, key: issued.keyPem }),
        });
        client.on('session', (fresh) => {
          ticket = fresh;
        });
        client.on('error', () => {});
        client.on('close', () => resolve({ reused: client.isSessionReused(), ticket }));
        client.resume();
      });
    const first = await attemptWith();
    if (first.ticket !== undefined) await attemptWith(first.ticket);
    expect(databaseConnections.size).toBe(0);
    expect(db.sidecar.counters.inbound.connections).toBe(0);
    expect(db.sidecar.counters.inbound.refused[code as 'denied']).toBeGreaterThanOrEqual(1);
  });

  it('resumes sessions between sidecars, and decides anew each time', async () => {
    for (let i = 0; i < 3; i++) expect(await exchange(ports.upstream, `n${i}`)).toBe(`n${i}`);
    const connected = web.book.lines.filter((line) => line.message === 'connected');
    expect(connected.map((line) => line.fields.resumed)).toEqual([false, true, true]);
    agent.intentions('db', ['web', 'deny']);
    await expect.poll(() => agent.requests.filter((r) => r.includes('match') && r.includes('index=')).length).toBe(2);
    expect(await ending(await dial(ports.upstream))).toBe('ECONNRESET');
    expect((await refusal(db.book, 'denied')).fields.source).toBe(spiffe('web'));
  });

  it('speaks TLS 1.2 with older peers, unless that is turned off', async () => {
    const { certPem, keyPem } = authority.issue('web');
    const older = async (): Promise<string> => {
      const client = connectTls({
        host: loopback,
        port: ports.db,
        ca: authority.rootPem,
        cert: certPem,
        key: keyPem,
        maxVersion: 'TLSv1.2',
        checkServerIdentity: () => undefined,
      });
      client.on('error', () => {});
      client.end('hello');
      let all = '';
      client.on('data', (chunk) => {
        all += String(chunk);
      });
      await new Promise((resolve) => client.once('close', resolve));
      return all;
    };
    expect(await older()).toBe('hello');
    const config = { tls_min_version: 'TLSv1_3' };
    agent.service('db-sidecar-proxy', registration('db', { port: ports.db, application: database.port, config }));
    await db.book.seen((line) => line.message === 'new TLS identity for new connections');
    expect(await older()).toBe('');
    expect((await refusal(db.book, 'handshake_failed')).fields.reason).toBe('ERR_SSL_UNSUPPORTED_PROTOCOL');
  });

  it('refuses what is not TLS', async () => {
    const client = await dial(ports.db);
    client.write('GET / HTTP/1.0\r\n\r\n');
    await ending(client);
    expect((await refusal(db.book, 'handshake_failed')).fields.reason).toBe('ERR_SSL_HTTP_REQUEST');
    expect(databaseConnections.size).toBe(0);
  });

  it('forgets a client that goes away before it says a word, as TCP checks do, and does not call that a refusal', async () => {
    const knock = await dial(ports.db);
    await expect.poll(() => db.sidecar.activeConnections).toBe(1);
    knock.destroy();
    await expect.poll(() => db.sidecar.activeConnections).toBe(0);
    const stranger = await dial(ports.db);
    stranger.write('GET / HTTP/1.0\r\n\r\n');
    await ending(stranger);
    await refusal(db.book, 'handshake_failed');
    expect(db.sidecar.counters.inbound.refused).toEqual({ handshake_failed: 1 });
  });

  it('gives up on a client that never speaks', async () => {
    const config = { handshake_timeout_ms: 20 };
    agent.service('db-sidecar-proxy', registration('db', { port: ports.db, application: database.port, config }));
    await db.book.seen((line) => line.message === 'listener stopped');
    await expect.poll(() => db.sidecar.listeners[0]?.listening).toBe(true);
    const client = await dial(ports.db);
    await refusal(db.book, 'handshake_timeout');
    client.destroy();
  });

  it('reports an application that is down, and cuts the client off', async () => {
    database.server.close();
    const client = await dial(ports.upstream);
    expect(await ending(client)).toBe('ECONNRESET');
    expect((await refusal(db.book, 'application_unreachable')).fields).toMatchObject({ reason: 'ECONNREFUSED' });
  });
});
