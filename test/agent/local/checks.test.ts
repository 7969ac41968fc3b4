// What runs checks: thresholds and texts as tables, each kind against a real counterpart on loopback.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aliasOutcome, RemoteAlias } from '../../../src/agent/local/checks/alias.ts';
import { dockerProbe } from '../../../src/agent/local/checks/docker.ts';
import { grpcProbe } from '../../../src/agent/local/checks/grpc.ts';
import { h2pingProbe } from '../../../src/agent/local/checks/h2ping.ts';
import { httpProbe } from '../../../src/agent/local/checks/http.ts';
import { headOf, TailBuffer } from '../../../src/agent/local/checks/output.ts';
import { PeriodicCheck } from '../../../src/agent/local/checks/periodic.ts';
import type { Outcome } from '../../../src/agent/local/checks/runner.ts';
import { scriptProbe } from '../../../src/agent/local/checks/script.ts';
import { tcpProbe } from '../../../src/agent/local/checks/tcp.ts';
import { StatusGate } from '../../../src/agent/local/checks/thresholds.ts';
import { TtlCheck } from '../../../src/agent/local/checks/ttl.ts';
import { healthCheck } from '../../../src/structs/index.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const never = new AbortController().signal;
const httpTarget = {
  body: '',
  timeoutMs: 1_000,
  outputBytesMax: 64,
  followRedirects: false,
  serverName: '',
  skipVerify: false,
};
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
async function listen<S extends Server>(server: S, path?: string): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.16.3', resolve) : server.listen(path, resolve),
  );
  return path ?? `127.0.16.3:${(server.address() as AddressInfo).port}`;
}
/** A port of this machine where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createTcp();
  const address = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return address;
}

describe('thresholds', () => {
  const p = 'passing' as const;
  const c = 'critical' as const;
  it.each([
    { name: 'none: every result counts', success: 0, warning: 0, failures: 0, results: [c, p, c], told: [c, p, c] },
    { name: 'the first result counts at once', success: 3, warning: 0, failures: 3, results: [c], told: [c] },
    {
      name: 'three failures in a row',
      success: 0,
      warning: 0,
      failures: 3,
      results: [p, c, c, p, c, c, c],
      told: [p, p, c],
    },
    { name: 'two successes in a row', success: 2, warning: 0, failures: 0, results: [c, p, p, c], told: [c, p, c] },
    { name: 'a warning between', success: 0, warning: 2, failures: 3, results: [p, c, c, c], told: [p, 'warning', c] },
  ])('$name', ({ success, warning, failures, results, told }) => {
    const seen: string[] = [];
    const gate = new StatusGate(
      { successBeforePassing: success, failuresBeforeWarning: warning, failuresBeforeCritical: failures },
      (status) => seen.push(status),
    );
    for (const status of results) gate.offer({ status, output: '' });
    expect(seen).toEqual(told);
  });

  it('what is certain is told whatever they say', () => {
    const seen: string[] = [];
    const gate = new StatusGate({ successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: 5 }, (s) =>
      seen.push(s),
    );
    gate.offer({ status: 'passing', output: '' });
    gate.offer({ status: 'critical', output: '', certain: true });
    expect(seen).toEqual(['passing', 'critical']);
  });
});

describe('outputs', () => {
  it('keeps the end of what programs write and says what is missing', () => {
    const tail = new TailBuffer(5);
    for (const piece of ['abc', 'def', 'gh']) tail.write(Buffer.from(piece));
    expect(tail.text()).toBe('Captured 5 of 8 bytes\n...\ndefgh');
    const short = new TailBuffer(5);
    short.write(Buffer.from('abc'));
    expect(short.text()).toBe('abc');
  });
  it('keeps the beginning of what clients say', () => {
    expect(headOf('x'.repeat(300), 100)).toBe(`${'x'.repeat(100)} ... (captured 100 of 300 bytes)`);
    expect(headOf('ok', 100)).toBe('ok');
  });
});

describe('ttl', () => {
  const start = (): { clock: VirtualClock; seen: string[]; check: TtlCheck } => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const check = new TtlCheck(1_000, 100, { clock, chance: () => 0, report: (s, o) => seen.push(`${s}: ${o}`) });
    check.start();
    return { clock, seen, check };
  };
  it('expires once when nobody reports', () => {
    const { clock, seen } = start();
    clock.advance(5_000);
    expect(seen).toEqual(['critical: TTL expired']);
  });
  it('expires with the last words, and lives again', () => {
    const { clock, seen, check } = start();
    check.update('passing', 'fine');
    clock.advance(999);
    check.update('passing', 'still');
    clock.advance(1_000);
    check.update('warning', 'back');
    expect(seen).toEqual([
      'passing: fine',
      'passing: still',
      'critical: TTL expired (last output before timeout follows): still',
      'warning: back',
    ]);
  });
  it('is silent when stopped', () => {
    const { clock, seen, check } = start();
    check.stop();
    clock.advance(5_000);
    expect([seen, clock.pendingMs]).toEqual([[], []]);
  });
});

describe('periodic checks', () => {
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  const none = { successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: 0 };
  it('run first within the interval, then an interval after each end; in a hurry at once', async () => {
    const clock = new VirtualClock();
    let runs = 0;
    const check = new PeriodicCheck(
      async () => ({ status: 'passing', output: String(++runs) }),
      { intervalMs: 10_000, ...none },
      { clock, chance: () => 0.5, report: () => undefined },
    );
    check.start();
    expect(clock.pendingMs).toEqual([5_000]);
    clock.advance(5_000);
    await settle();
    expect([runs, clock.pendingMs]).toEqual([1, [10_000]]);
    check.hurry();
    await settle();
    expect([runs, clock.pendingMs]).toEqual([2, [10_000]]);
    check.stop();
    expect(clock.pendingMs).toEqual([]);
  });
  const strange = [
    '',
    ':',
    '::::',
    '127.0.0.1:99999999',
    'a b:80',
    'x:-1',
    '[::1',
    'http://127.0.0.1:99999/',
    'a\0b:80',
  ];
  const tls = { timeoutMs: 1_000, serverName: '', skipVerify: false };
  const hostile = strange.flatMap((text) => [
    ['tcp', text, tcpProbe({ address: text, tls: true, ...tls })] as const,
    ['h2ping', text, h2pingProbe({ address: text, tls: true, ...tls })] as const,
    ['grpc', text, grpcProbe({ target: text, tls: false, ...tls })] as const,
    ['docker', text, dockerProbe({ container: text, shell: '', args: ['x'], outputBytesMax: 64, host: text })] as const,
    ['script', text, scriptProbe({ args: [text, text], timeoutMs: 1_000, outputBytesMax: 64 })] as const,
    ['http', text, httpProbe({ ...httpTarget, url: text, method: 'B@D', headers: { 'a b': [text] } })] as const,
  ]);
  it.each(hostile)('%s of %j: critical, with words, and another try is planned', async (_kind, _text, probe) => {
    const clock = new VirtualClock();
    const told = new Promise((resolve) => {
      const report = (status: string, output: string) => resolve({ status, output });
      new PeriodicCheck(probe, { intervalMs: 10_000, ...none }, { clock, chance: () => 0.5, report }).hurry();
    });
    expect(await told).toEqual({ status: 'critical', output: expect.stringMatching(/./) });
    await settle();
    expect(clock.pendingMs).toEqual([10_000]);
  });
  it('tell nothing after they were stopped, even when a try was under way', async () => {
    const seen: string[] = [];
    let finish: (outcome: Outcome) => void = () => undefined;
    const clock = new VirtualClock();
    const check = new PeriodicCheck(
      () => new Promise((resolve) => (finish = resolve)),
      { intervalMs: 1_000, ...none },
      { clock, chance: () => 0, report: (status) => seen.push(status) },
    );
    check.start();
    clock.advance(0);
    check.stop();
    finish({ status: 'critical', output: '' });
    await settle();
    expect([seen, clock.pendingMs]).toEqual([[], []]);
  });
});

describe('alias', () => {
  const target = { checkId: 'al', node: '', serviceId: 'web' };
  const check = (CheckID: string, ServiceID: string, Status: string, Output = '') => ({
    ...healthCheck.zero(),
    CheckID,
    Name: CheckID,
    ServiceID,
    Status,
    Output,
  });
  it.each([
    ['no checks', [], true, 'passing', 'No checks found.'],
    ['all pass', [check('a', 'web', 'passing')], true, 'passing', 'All checks passing.'],
    [
      'a warning',
      [check('a', 'web', 'warning', 'so-so'), check('b', 'web', 'passing')],
      true,
      'warning',
      'Aliased check "a" failing: so-so',
    ],
    [
      'critical beats warning',
      [check('a', 'web', 'warning'), check('b', 'web', 'critical', 'down')],
      true,
      'critical',
      'Aliased check "b" failing: down',
    ],
    ['checks of the node count', [check('n', '', 'critical')], true, 'critical', 'Aliased check "n" failing: '],
    ['other services do not', [check('o', 'db', 'critical')], true, 'passing', 'No checks found.'],
    ['nor does it itself', [check('al', 'web', 'critical')], true, 'passing', 'No checks found.'],
    ['an unknown service', [], false, 'critical', 'Service web could not be found on node '],
  ] as const)('%s', (_name, checks, exists, status, output) => {
    expect(aliasOutcome(target, checks, exists)).toEqual({ status, output });
  });
});

describe('tcp', () => {
  const probe = (address: string, timeoutMs = 1_000) =>
    tcpProbe({ address, timeoutMs, tls: false, serverName: '', skipVerify: false })(never);
  it('passes when somebody accepts', async () => {
    const address = await listen(createTcp());
    expect(await probe(address)).toEqual({ status: 'passing', output: `TCP connect ${address}: Success` });
  });
  it('says why not', async () => {
    const address = await closedPort();
    expect(await probe(address)).toEqual({
      status: 'critical',
      output: `dial tcp ${address}: connect: connection refused`,
    });
    expect((await probe('nowhere')).output).toBe('dial tcp: address nowhere: missing port in address');
  });
});

describe('http', () => {
  const target = {
    method: '',
    headers: {},
    body: '',
    timeoutMs: 1_000,
    outputBytesMax: 4096,
    followRedirects: true,
    serverName: '',
    skipVerify: false,
  };
  const server = () =>
    createHttp((request, response) => {
      const code = Number(/\d+/.exec(request.url!)?.[0] ?? 200);
      if (code === 302) response.setHeader('location', '/200');
      response.statusCode = code;
      response.end(
        `${request.method} ${request.headers.host?.split(':')[0]} ${request.headers['user-agent']} ${request.headers['x-y'] ?? ''}`,
      );
    });
  it.each([
    ['/200', 'passing', '200 OK'],
    ['/429', 'warning', '429 Too Many Requests'],
    ['/404', 'critical', '404 Not Found'],
    ['/302', 'passing', '200 OK'],
  ])('%s is %s', async (path, status, text) => {
    const url = `http://${await listen(server())}${path}`;
    const { output, ...rest } = await httpProbe({ ...target, url })(never);
    expect(rest).toEqual({ status });
    expect(output).toBe(`HTTP GET ${url}: ${text} Output: GET 127.0.16.3 Consul Health Check `);
  });
  it('does not follow redirects when told not to, and sends what it is told to', async () => {
    const url = `http://${await listen(server())}/302`;
    const told = {
      ...target,
      url,
      method: 'put',
      followRedirects: false,
      headers: { Host: ['other.test'], 'X-Y': ['z'] },
    };
    const { status, output } = await httpProbe(told)(never);
    expect([status, output]).toEqual([
      'critical',
      `HTTP PUT ${url}: 302 Found Output: PUT other.test Consul Health Check z`,
    ]);
  });
  it('says why it could not ask', async () => {
    const address = await closedPort();
    const ask = async (url: string) => (await httpProbe({ ...target, url, timeoutMs: 200 })(never)).output;
    expect(await ask(`http://${address}/`)).toBe(
      `Get "http://${address}/": dial tcp ${address}: connect: connection refused`,
    );
    expect(await ask('http://x/%zz')).toBe('parse "http://x/%zz": invalid URL escape "%zz"');
    expect(await ask('ftp://x/')).toBe('Get "ftp://x/": unsupported protocol scheme "ftp"');
    const silent = await listen(createTcp());
    expect(await ask(`http://${silent}/`)).toBe(
      `Get "http://${silent}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    );
  });
});

describe('script', () => {
  const run = (args: string[], timeoutMs = 5_000, outputBytesMax = 4096) =>
    scriptProbe({ args, timeoutMs, outputBytesMax })(never);
  it.each([
    ['exit 0', 'echo fine', 'passing', 'fine\n'],
    ['exit 1', 'echo careful; exit 1', 'warning', 'careful\n'],
    ['exit 2, from standard error', 'echo broken >&2; exit 2', 'critical', 'broken\n'],
    ['a signal', 'kill -9 $$', 'critical', ''],
  ])('%s', async (_name, script, status, output) => {
    expect(await run(['sh', '-c', script])).toEqual({ status, output });
  });
  it('keeps the end of a long output', async () => {
    const { output } = await run(
      ['sh', '-c', 'i=0; while [ $i -lt 60 ]; do echo line-$i; i=$((i+1)); done'],
      5_000,
      100,
    );
    expect(output).toMatch(/^Captured 100 of 470 bytes\n\.\.\.\n[\s\S]{100}$/);
  });
  it('does not start', async () => {
    expect(await run(['/no/such/file'])).toEqual({
      status: 'critical',
      output: 'fork/exec /no/such/file: no such file or directory',
      certain: true,
    });
  });
  it('kills what it started when the time is over', async () => {
    const outcome = await run(['sh', '-c', 'echo part; sleep 60 & wait'], 200);
    expect(outcome).toEqual({ status: 'critical', output: 'Timed out (200ms) running check\n\npart\n', certain: true });
  });
});

describe('h2ping', () => {
  const probe = (address: string, tls: boolean) =>
    h2pingProbe({ address, timeoutMs: 1_000, tls, serverName: '', skipVerify: true })(never);
  it('passes when a server answers the ping', async () => {
    const address = await listen(createHttp2() as unknown as Server);
    expect(await probe(address, false)).toEqual({ status: 'passing', output: 'HTTP2 ping was successful' });
  });
  it('says what is no TLS, and what is nothing', async () => {
    const plain = await listen(createHttp((_, response) => response.end()));
    expect((await probe(plain, true)).output).toBe(
      `Failed to dial to ${plain}: tls: first record does not look like a TLS handshake`,
    );
    const closed = await closedPort();
    expect((await probe(closed, true)).output).toBe(
      `Failed to dial to ${closed}: dial tcp ${closed}: connect: connection refused`,
    );
  });
});

describe('grpc', () => {
  const probe = (target: string) =>
    grpcProbe({ target, timeoutMs: 2_000, tls: false, serverName: '', skipVerify: false })(never);
  /** The standard health service: `bad` does not serve, others do. */
  async function health(): Promise<{ address: string; stop: () => void }> {
    const server = new grpc.Server();
    const raw = (bytes: Buffer): Buffer => bytes;
    server.addService(
      {
        check: {
          path: '/grpc.health.v1.Health/Check',
          requestStream: false,
          responseStream: false,
          requestDeserialize: raw,
          requestSerialize: raw,
          responseDeserialize: raw,
          responseSerialize: raw,
        },
      },
      {
        check: (call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) =>
          reply(null, Buffer.from([8, call.request.toString().endsWith('bad') ? 2 : 1])),
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.16.3:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return { address: `127.0.16.3:${port}`, stop: () => server.forceShutdown() };
  }
  it('asks the health service, of the server or of one service', async () => {
    const { address, stop } = await health();
    expect(await probe(address)).toEqual({ status: 'passing', output: `gRPC check ${address}: success` });
    expect(await probe(`${address}/bad`)).toEqual({
      status: 'critical',
      output: `gRPC ${address}/bad serving status: NOT_SERVING`,
    });
    stop();
  });
  it('says that nobody is there', async () => {
    const address = await closedPort();
    expect((await probe(address)).output).toBe(
      `rpc error: code = Unavailable desc = all SubConns are in TransientFailure, latest connection error: connection error: desc = "transport: Error while dialing dial tcp ${address}: connect: connection refused"`,
    );
  });
});

describe('docker', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-docker-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  /** An engine that knows one container; the command's first word is the exit code. */
  const engine = () =>
    createHttp((request, response) => {
      const path = request.url!.replace('/v1.24', '');
      if (path === '/containers/box/exec') {
        let body = '';
        request.on('data', (chunk) => (body += chunk));
        request.on('end', () =>
          response.writeHead(201).end(JSON.stringify({ Id: (JSON.parse(body) as { Cmd: string[] }).Cmd.at(-1) })),
        );
      } else if (path === '/containers/paused/exec') response.writeHead(409).end('{}');
      else if (path.endsWith('/start')) response.end('said\n');
      else if (path.endsWith('/json')) response.end(JSON.stringify({ ExitCode: Number(path.split('/')[2]) }));
      else response.writeHead(404).end('{}');
    });
  it.each([
    ['box', '0', 'passing', 'said\n'],
    ['box', '1', 'warning', 'said\n'],
    ['box', '2', 'critical', 'said\n'],
    ['ghost', '0', 'critical', 'create exec failed for unknown container ghost'],
    ['paused', '0', 'critical', 'create exec failed since container paused is paused or stopped'],
  ])('%s, exit %s: %s', async (container, code, status, output) => {
    const path = await listen(engine(), join(folder, 'engine.sock'));
    const probe = dockerProbe({ container, shell: '', args: [code], outputBytesMax: 4096, host: `unix://${path}` });
    expect(await probe(never)).toEqual({ status, output });
  });
});

describe('an alias of another node', () => {
  it('waits for changes, also where nothing was ever written, and backs off from failures', async () => {
    const clock = new VirtualClock();
    const asked: number[] = [];
    const seen: string[] = [];
    const answers = [{ checks: [], services: new Set<string>(), index: 0 }, undefined, undefined, undefined, undefined];
    const alias = new RemoteAlias(
      { checkId: 'al', node: 'n2', serviceId: '' },
      async (_node, index) => {
        asked.push(index);
        const answer = answers.shift();
        if (answer === undefined) throw new Error('nobody there');
        return answer;
      },
      { clock, chance: () => 0, report: (status, output) => seen.push(`${status}: ${output}`) },
    );
    alias.start();
    const step = async (ms: number): Promise<number[]> => {
      clock.advance(ms);
      for (let i = 0; i < 10; i++) await Promise.resolve();
      return clock.pendingMs;
    };
    expect(await step(0)).toEqual([50]);
    expect(await step(50)).toEqual([1_000]);
    await step(1_000);
    await step(1_000);
    expect(await step(1_000)).toEqual([16_000]);
    alias.stop();
    expect(clock.pendingMs).toEqual([]);
    expect(asked).toEqual([0, 1, 1, 1, 1]);
    expect(seen[0]).toBe('passing: No checks found.');
    expect(seen.slice(1)).toEqual(Array(3).fill('critical: Failure checking aliased node or service: nobody there'));
  });
});
