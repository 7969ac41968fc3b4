/** `connect proxy` as it is typed: texts, exit codes, registration, and the way it ends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { FakeAgent, loopback } from './support/fake-agent.ts';
import { freePort } from './support/mesh.ts';

interface Run {
  readonly out: () => string;
  readonly err: () => string;
  readonly code: Promise<number>;
  readonly interrupt: () => void;
  seen(text: string): Promise<void>;
}

function run(...argv: string[]): Run {
  const controller = new AbortController();
  let [out, err] = ['', ''];
  const waiters = new Set<() => void>();
  const add = (text: string): void => {
    out += text;
    for (const waiter of [...waiters]) waiter();
  };
  const io = {
    out: (text: string) => add(`${text}\n`),
    error: (text: string) => {
      err += `${text}\n`;
    },
    write: (data: Uint8Array | string) => add(String(data)),
    readStdin: async () => new Uint8Array(),
  };
  return {
    out: () => out,
    err: () => err,
    code: main({ argv: ['connect', 'proxy', ...argv], env: {}, io, signal: controller.signal }),
    interrupt: () => controller.abort('SIGINT'),
    seen: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!out.includes(text)) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
  };
}

describe('texts', () => {
  it('says what is missing', async () => {
    const rows = [
      { argv: [], error: '-service or -proxy-id must be specified so that proxy can configure itself.' },
      {
        argv: ['-service', 'web', '-listen', ':1'],
        error: '-service-addr must be specified with -listen so the proxy knows the backend service address.',
      },
      { argv: ['-service', 'web', '-register'], error: '-register may only be specified with -service and -listen' },
    ];
    for (const { argv, error } of rows) {
      const ran = run(...argv);
      expect(await ran.code).toBe(1);
      expect(ran.out()).toBe('==> Heddle Connect proxy starting...\n');
      expect(ran.err()).toBe(`==> Error preparing configuration: ${error}\n`);
    }
  });

  it('refuses a bad upstream before it starts anything', async () => {
    const ran = run('-service', 'web', '-upstream', 'nope');
    expect(await ran.code).toBe(1);
    expect(ran.out()).toBe('');
    expect(ran.err()).toMatch(
      /^invalid value "nope" for flag -upstream: Upstream value should be name:addr in "nope"\nUsage:\n/,
    );
  });

  it('refuses an unknown log level', async () => {
    const ran = run('-service', 'web', '-log-level', 'loud');
    expect(await ran.code).toBe(1);
    expect(ran.err()).toBe('Invalid log level: loud. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]\n');
  });

  it('shows its configuration in order of names, runs, and ends on an interrupt', async () => {
    const [agent, port] = [await new FakeAgent().start(), await freePort()];
    const upstreams = ['-upstream', 'q.query:9192', '-upstream', 'db:1', '-upstream', `db:${loopback}:${port}`];
    const ran = run('-http-addr', agent.address, '-service', 'web', ...upstreams);
    await ran.seen('starting listener');
    expect(ran.out()).toContain(`==> Heddle Connect proxy starting...
    Configuration mode: Flags
               Service: web
              Upstream: db => ${loopback}:${port}
              Upstream: q => :9192
       Public listener: Disabled

==> Log data will now stream in as it occurs:
`);
    expect(ran.out()).toContain(
      `upstream=q reason="upstreams of type prepared_query are not supported by the built-in proxy. Can't start upstream."`,
    );
    ran.interrupt();
    expect(await ran.code).toBe(0);
    expect(ran.out()).toMatch(/==> Heddle Connect proxy shutdown\n$/);
    await agent.stop();
  });
});

describe('with an agent', () => {
  /** Answers everything with 200 and keeps what it was asked; `services` is what it lists. */
  let server: Server;
  let asked: { method: string; url: string; body: string }[];
  let services: Record<string, unknown>;
  beforeEach(async () => {
    [asked, services] = [[], {}];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        asked.push({ method: request.method ?? '', url: request.url ?? '', body });
        const listing = request.url?.startsWith('/v1/agent/services');
        response.statusCode = listing || request.method === 'PUT' ? 200 : 500;
        response.end(listing ? JSON.stringify(services) : '');
      });
    }).listen(0, loopback);
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = () => `-http-addr=${loopback}:${(server.address() as AddressInfo).port}`;
  const sidecar = (DestinationServiceID: string) => ({ Kind: 'connect-proxy', Proxy: { DestinationServiceID } });

  it('finds the one sidecar of a service', async () => {
    services = { web: {}, 'web-sidecar-proxy': sidecar('Web'), other: sidecar('other') };
    const ran = run(address(), '-sidecar-for', 'web');
    await ran.seen('Log data will now stream');
    expect(ran.out()).toContain(
      '    Configuration mode: Agent API\n        Sidecar for ID: web\n              Proxy ID: web-sidecar-proxy\n',
    );
    ran.interrupt();
    expect(await ran.code).toBe(0);
  });

  it('says when there is none, or more than one', async () => {
    const none = run(address(), '-sidecar-for', 'web');
    expect(await none.code).toBe(1);
    expect(none.err()).toBe('==> Error preparing configuration: No sidecar proxy registered for web\n');
    services = { b: sidecar('web'), a: sidecar('web') };
    const two = run(address(), '-sidecar-for', 'web');
    expect(await two.code).toBe(1);
    expect(two.err()).toBe(
      '==> Error preparing configuration: More than one sidecar proxy registered for web.\n    Start proxy with -proxy-id and one of the following IDs: a, b\n',
    );
  });

  it('registers with a check of its own, and deregisters at the end', async () => {
    const port = await freePort();
    const at = ['-listen', `${loopback}:${port}`, '-service-addr', `${loopback}:1`];
    const ran = run(address(), '-service', 'web', ...at, '-register', '-register-id', 'two');
    await ran.seen('proxy registered: id=web-proxy-two');
    ran.interrupt();
    expect(await ran.code).toBe(0);
    const puts = asked.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ url }) => url)).toEqual([
      '/v1/agent/service/register',
      '/v1/agent/service/deregister/web-proxy-two',
    ]);
    expect(JSON.parse(puts[0]!.body)).toEqual({
      Kind: 'connect-proxy',
      ID: 'web-proxy-two',
      Name: 'web-proxy',
      Address: loopback,
      Port: port,
      Proxy: { DestinationServiceName: 'web' },
      Check: {
        CheckID: 'web-proxy-two-ttl',
        Name: 'proxy heartbeat',
        TTL: '30s',
        Notes: 'Built-in proxy will heartbeat this check.',
        Status: 'passing',
      },
    });
    expect(ran.out()).toContain('stop request received, deregistering');
  });
});
