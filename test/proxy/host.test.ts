/** The process that hosts managed sidecars: it runs what it is told, comes back when it dies, and never outlives its agent. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SidecarHostProcess } from '../../src/proxy/host-process.ts';
import { TestAuthority } from './support/authority.ts';
import { FakeAgent, loopback } from './support/fake-agent.ts';
import { application, attempt, echo, exchange, freePort, registration } from './support/mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-host-'));
const entry = join(folder, 'host.mjs');
let authority: TestAuthority;
let agent: FakeAgent;
let host: SidecarHostProcess;
let lines: string[];
let waiters: Set<() => void>;
let listening: string[];
let counted: Map<string, number>;

beforeAll(async () => {
  authority = await TestAuthority.create();
  await build({
    entryPoints: [new URL('../../src/proxy/host.ts', import.meta.url).pathname],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  agent = await new FakeAgent().start();
  agent.roots(authority);
  [lines, listening, waiters, counted] = [[], [], new Set(), new Map()];
  const wake = (): void => {
    for (const waiter of [...waiters]) waiter();
  };
  host = new SidecarHostProcess({
    agent: { address: agent.address },
    logLevel: 'info',
    logJson: false,
    drainMs: 0,
    entry,
    onLogLine: (line) => {
      lines.push(line);
      wake();
    },
    reportMs: 20,
    onCounters: (growth) => {
      for (const { name, labels, value } of growth) {
        const key = [name, ...Object.values(labels)].join(' ');
        counted.set(key, (counted.get(key) ?? 0) + value);
      }
      wake();
    },
    onListening: (sidecar, listener) => {
      listening.push(`${sidecar} ${listener}`);
      wake();
    },
  });
});
afterEach(async () => {
  await host.stop();
  await agent.stop();
});

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!condition()) return;
      waiters.delete(look);
      resolve();
    };
    waiters.add(look);
    look();
  });
}

async function pair(): Promise<number> {
  const [db, upstream] = [await freePort(), await freePort()];
  const app = await application(echo);
  app.server.unref();
  agent.leaf('db', authority.issue('db'));
  agent.leaf('web', authority.issue('web'));
  agent.intentions('db');
  agent.health('db', { id: 'db-sidecar-proxy', address: loopback, port: db });
  agent.service('db-sidecar-proxy', registration('db', { port: db, application: app.port }));
  agent.service('web-sidecar-proxy', registration('web', { port: 0, application: 1, upstreams: { db: upstream } }));
  return upstream;
}

describe('sidecar host', () => {
  it('is not started for nothing', () => {
    host.configure([]);
    expect(host.pid).toBe(undefined);
  });

  it('runs both ends of a connection, and stops the sidecar that is no longer wanted', async () => {
    const upstream = await pair();
    host.configure([{ id: 'db-sidecar-proxy' }, { id: 'web-sidecar-proxy' }]);
    await until(() => listening.length === 2);
    await expect.poll(() => exchange(upstream, 'through two').catch(() => 'not yet')).toBe('through two');
    // Told in steps, each only once.
    await until(() => (counted.get('proxy.inbound.bytes_received db-sidecar-proxy web') ?? 0) >= 11);
    await until(() => (counted.get('proxy.upstream.bytes_received web-sidecar-proxy db') ?? 0) >= 11);
    expect(counted.get('proxy.inbound.connections db-sidecar-proxy web')).toBe(1);
    expect(counted.get('proxy.inbound.bytes_received db-sidecar-proxy web')).toBe(11);
    expect(counted.get('proxy.upstream.bytes_received web-sidecar-proxy db')).toBe(11);
    host.configure([{ id: 'db-sidecar-proxy' }]);
    await until(() => lines.some((line) => line.includes('drained: proxy=web-sidecar-proxy')));
    expect(await attempt(upstream)).toBe('ECONNREFUSED');
  });

  it('boots ahead of time, and is told later where its agent is and what to run', async () => {
    const early = new SidecarHostProcess({
      logLevel: 'info',
      logJson: false,
      drainMs: 0,
      entry,
      onLogLine: (line) => lines.push(line),
      onListening: (sidecar) => {
        listening.push(sidecar);
        for (const waiter of [...waiters]) waiter();
      },
    });
    early.warm();
    const { pid } = early;
    expect(pid).toBeGreaterThan(0);
    await pair();
    early.configure([{ id: 'db-sidecar-proxy' }], { address: agent.address });
    await until(() => listening.length === 1);
    expect(early.pid).toBe(pid);
    await early.stop();
    expect(lines.filter((line) => line.includes('ended'))).toEqual([]);
  });

  it('is started again when it dies, with everything it had', async () => {
    const upstream = await pair();
    host.configure([{ id: 'db-sidecar-proxy' }, { id: 'web-sidecar-proxy' }]);
    await until(() => listening.length === 2);
    process.kill(host.pid!, 'SIGKILL');
    await until(() => lines.some((line) => line.startsWith('the sidecar host ended (SIGKILL)')));
    await until(() => listening.length === 4);
    await expect.poll(() => exchange(upstream, 'again').catch(() => 'not yet')).toBe('again');
  });

  it('ends with its agent, also with one that was killed', async () => {
    const child = fork(entry, [], { stdio: 'ignore', execArgv: [] });
    await once(child, 'message');
    child.disconnect(); // what the host sees when its agent is gone
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
