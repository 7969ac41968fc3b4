/**
 * Root rotations under traffic: a real agent (Raft, LMDB, HTTP), two sidecars, one connection that stays open and a stream of
 * new ones. The authority changes its key three times, once to RSA; nothing may fail, though one of the sidecars hears of
 * each new root only after the other uses it. A rotation without a bridge shows that the net catches fish.
 */
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { Agent } from '../../../src/agent/index.ts';
import { generateKey, type KeySpec, leafKeySpec, privateKeyPem } from '../../../src/ca/index.ts';
import { type RunningSidecar, startSidecar } from '../../../src/proxy/index.ts';

const host = '127.0.0.1';
const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };

let agent: Agent;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function listen(each: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, each).listen(0, host);
  await once(server, 'listening');
  stops.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function ask(method: string, path: string, body?: unknown): Promise<string> {
  const response = await fetch(`${agent.httpAddress}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return text;
}

/** The agent as a sidecar sees it that is slow to hear: answers about roots are held back while `gate` is set. */
class SlowAgent {
  gate: Promise<void> = Promise.resolve();
  address = '';

  async start(): Promise<this> {
    const relay = http.createServer((request, response) => {
      const { port } = new URL(agent.httpAddress);
      const { method, headers, url = '' } = request;
      const onward = http.request({ host, port, method, headers, path: url }, (answer) => {
        const hold = url.startsWith('/v1/agent/connect/ca/roots') ? this.gate : Promise.resolve();
        void hold.then(() => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)));
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
    relay.listen(0, host);
    await once(relay, 'listening');
    stops.push(() => {
      relay.closeAllConnections();
      relay.close();
    });
    this.address = `http://${host}:${(relay.address() as AddressInfo).port}`;
    return this;
  }

  hold(): () => void {
    let release = (): void => undefined;
    this.gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }
}

interface SidecarAt {
  readonly port: number;
  readonly application: number;
  readonly upstream?: number;
  readonly address: string;
}

async function sidecar(service: string, { port, application, upstream, address }: SidecarAt): Promise<RunningSidecar> {
  const Upstreams = upstream === undefined ? [] : [{ DestinationName: 'db', LocalBindPort: upstream }];
  const proxy = {
    DestinationServiceName: service,
    LocalServiceAddress: host,
    LocalServicePort: application,
    Upstreams,
  };
  const proxyId = `${service}-sidecar-proxy`;
  await ask('PUT', '/v1/agent/service/register', {
    Kind: 'connect-proxy',
    ID: proxyId,
    Name: proxyId,
    Address: host,
    Port: port,
    Proxy: proxy,
  });
  const running = startSidecar({ agent: { address }, from: { proxyId } }, { log: quiet });
  stops.push(() => running.stop(0));
  return running;
}

/** Sends a line and waits for it to come back. */
async function echoed(socket: Socket, line: string): Promise<void> {
  socket.write(line);
  let got = '';
  while (got.length < line.length) got += String((await once(socket, 'data'))[0]);
  expect(got).toBe(line);
}

async function fresh(port: number): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return socket;
}

/** CommonName of who issued the certificate that a sidecar shows. */
async function issuerAt(port: number): Promise<string> {
  const socket = connectTls({ port, host, rejectUnauthorized: false });
  socket.on('error', () => {}); // it wants a certificate of ours, and says so after it showed its own
  await once(socket, 'secureConnect');
  const { issuer } = socket.getPeerCertificate();
  socket.destroy();
  return String(issuer.CN);
}

interface Mesh {
  readonly db: number;
  readonly web: number;
  readonly upstream: number;
  readonly slow: SlowAgent;
}

/** web calls db through `upstream`; db's sidecar follows the slow agent. */
async function startMesh(): Promise<Mesh> {
  agent = await Agent.start({ dev: true, anyPorts: true });
  stops.push(() => agent.stop());
  const slow = await new SlowAgent().start();
  const application = await listen((socket) => socket.on('error', () => {}).pipe(socket));
  const [db, web, upstream] = [await freePort(), await freePort(), await freePort()];
  await sidecar('db', { port: db, application, address: slow.address });
  const running = await sidecar('web', { port: web, application, upstream, address: agent.httpAddress });
  await expect.poll(() => running.listeners.filter(({ listening }) => listening).length).toBe(2);
  await expect.poll(() => works(upstream), { timeout: 10_000 }).toBe(true);
  return { db, web, upstream, slow };
}

/** Whether a new connection carries a line there and back. */
async function works(port: number): Promise<boolean> {
  const socket = await fresh(port);
  const failed = once(socket, 'close').then(
    () => false,
    () => false,
  );
  const alive = await Promise.race([
    echoed(socket, 'ready?').then(
      () => true,
      () => false,
    ),
    failed,
  ]);
  socket.destroy();
  return alive;
}

async function rotate(spec: KeySpec, force = false): Promise<void> {
  const PrivateKey = privateKeyPem(await generateKey(spec));
  const body = { Provider: 'consul', Config: { PrivateKey }, ForceWithoutCrossSigning: force };
  await ask('PUT', '/v1/connect/ca/configuration', body);
}

/**
 * A plain read gets a leaf of the new root at once, and hands it to the sidecar, which would ask within half a minute.
 * Resolves when the sidecar shows it.
 */
async function renewed(service: string, port: number, oldIssuer: string): Promise<void> {
  const isNew = async (): Promise<boolean> => {
    await ask('GET', `/v1/agent/connect/ca/leaf/${service}`);
    return (await issuerAt(port)) !== oldIssuer;
  };
  await expect.poll(isNew, { timeout: 10_000 }).toBe(true);
}

it('breaks no connection, open or new', { timeout: 60_000 }, async () => {
  const { db, web, upstream, slow } = await startMesh();
  const open = await fresh(upstream);
  let connections = 0;
  let isOver = false;
  const traffic = (async () => {
    while (!isOver) {
      const socket = await fresh(upstream);
      await echoed(socket, `connection ${connections++}`);
      socket.destroy();
    }
  })();
  const more = async (): Promise<void> => {
    const wanted = connections + 4;
    await expect.poll(() => connections, { timeout: 10_000 }).toBeGreaterThanOrEqual(wanted);
  };

  const specs: KeySpec[] = [leafKeySpec, { type: 'rsa', bits: 2048 }, { type: 'ec', bits: 384 }];
  for (const [turn, spec] of specs.entries()) {
    const issuer = await issuerAt(db);
    const release = slow.hold();
    await rotate(spec);
    await echoed(open, `still here after ${turn}`);
    await renewed('web', web, issuer);
    await more(); // db trusts the old root only, and finds the way from web's new leaf to it
    release();
    await renewed('db', db, issuer);
    await more();
  }
  await echoed(open, 'to the end');
  isOver = true;
  await traffic;
  open.destroy();
  const roots = JSON.parse(await ask('GET', '/v1/connect/ca/roots')) as { Roots: { Active: boolean }[] };
  expect(roots.Roots.map(({ Active }) => Active).sort()).toEqual([false, false, false, true]);
});

it('without a bridge: who has not heard of the new root refuses, until it hears', { timeout: 60_000 }, async () => {
  const { db, web, upstream, slow } = await startMesh();
  const issuer = await issuerAt(db);
  const release = slow.hold();
  await rotate(leafKeySpec, true);
  await renewed('web', web, issuer);
  expect(await works(upstream)).toBe(false);
  release();
  await expect.poll(() => works(upstream), { timeout: 10_000 }).toBe(true);
});
