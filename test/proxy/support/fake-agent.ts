/**
 * An agent as a sidecar sees it: the five endpoints it reads, with blocking queries, over a real HTTP server. State is set
 * by the test; every set wakes who waits.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { IssuedLeaf, TestAuthority } from './authority.ts';
import { trustDomain } from './authority.ts';

export const loopback = '127.0.18.1';

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class FakeAgent {
  readonly requests: string[] = [];
  defaultPolicy: 'allow' | 'deny' = 'allow';
  #index = 10;
  #port = 0;
  #server: Server | null = null;
  readonly #answers = new Map<string, Answer & { index: number }>();
  readonly #sockets = new Set<Socket>();
  readonly #sleepers = new Set<() => void>();

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, loopback, resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** As a killed process: no listener, every connection gone. `start` brings it back at the same port. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#wake();
    await closed;
  }

  get address(): string {
    return `${loopback}:${this.#port}`;
  }

  service(id: string, registration: Json | null): void {
    const path = `/v1/agent/service/${id}`;
    if (registration === null) this.set(path, { status: 404, body: `unknown service ID: ${id}` });
    else this.set(path, { status: 200, body: registration });
  }

  roots(...authorities: readonly TestAuthority[]): void {
    const Roots = authorities.map(({ rootPem }) => ({ RootCert: rootPem }));
    this.set('/v1/agent/connect/ca/roots', { status: 200, body: { TrustDomain: trustDomain, Roots } });
  }

  leaf(service: string, leaf: IssuedLeaf): void {
    this.set(`/v1/agent/connect/ca/leaf/${service}`, {
      status: 200,
      body: {
        CertPEM: leaf.certPem,
        PrivateKeyPEM: leaf.keyPem,
        ServiceURI: leaf.uri,
        ValidBefore: '2036-01-01T00:00:00Z',
      },
    });
  }

  /** `['web', 'allow']` pairs, most exact first. */
  intentions(destination: string, ...list: readonly (readonly [string, 'allow' | 'deny'])[]): void {
    const body = {
      [destination]: list.map(([SourceName, Action]) => ({ SourceName, DestinationName: destination, Action })),
    };
    this.set('/v1/connect/intentions/match', { status: 200, body });
  }

  health(service: string, ...instances: readonly { id: string; address: string; port: number }[]): void {
    const body = instances.map(({ id, address, port }) => ({
      Node: { Node: 'n1', Address: address, Datacenter: 'dc1' },
      Service: {
        ID: id,
        Kind: 'connect-proxy',
        Address: address,
        Port: port,
        Proxy: { DestinationServiceName: service },
      },
    }));
    this.set(`/v1/health/connect/${service}`, { status: 200, body });
  }

  set(path: string, answer: Answer): void {
    this.#index += 1;
    this.#answers.set(path, { ...answer, index: this.#index });
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://agent');
    this.requests.push(`${request.method} ${request.url}`);
    const have = url.searchParams.get('index') ?? url.searchParams.get('hash');
    while (!request.socket.destroyed) {
      const answer = this.#answers.get(url.pathname);
      if (answer === undefined || String(answer.index) !== have || answer.status !== 200) {
        this.#send(response, answer ?? { status: 500, body: 'nothing set', index: 1 });
        return;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#sleepers.delete(wake);
          resolve();
        };
        this.#sleepers.add(wake);
      });
    }
  }

  #send(response: ServerResponse, answer: Answer & { index: number }): void {
    response.writeHead(answer.status, {
      'X-Consul-Index': String(answer.index),
      'X-Consul-ContentHash': String(answer.index),
      'X-Consul-Default-Acl-Policy': this.defaultPolicy,
    });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  }
}
