/**
 * The door for our own application: a plain connection on loopback becomes an authenticated one to a healthy instance of
 * the upstream.
 *
 *     accept ─▶ pick an instance ─▶ TCP ─▶ TLS ─▶ is it the service it is listed as? ─▶ splice
 *                    ▲                │      │             │
 *                    └── next one ◀───┴──────┴─────────────┘   until the connect timeout, or until all were tried
 *
 * The client's bytes stay in the kernel until the far side is proven: nothing is sent to a peer of unknown identity, and a
 * retry has nothing to repeat.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Balancer, Pick } from './balancer.ts';
import { bump, opened, upstreamCounters } from './counters.ts';
import { type DialedPeer, dialPeer } from './dial.ts';
import { ProxyError, type UpstreamFailure } from './errors.ts';
import type { ListenerContext, ManagedServer } from './listener.ts';
import type { UpstreamConfig } from './snapshot.ts';
import { Side, splice } from './splice.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface UpstreamSettings {
  readonly upstream: UpstreamConfig;
  /** Null until the agent has told roots and leaf. */
  readonly tls: TlsMaterial | null;
  readonly balancer: Balancer;
  readonly idleTimeoutMs: number;
}

export class UpstreamListener implements ManagedServer {
  readonly server: Server;
  readonly #context: ListenerContext;
  #settings: UpstreamSettings;
  readonly #clients = new Set<Socket>();

  constructor(settings: UpstreamSettings, context: ListenerContext) {
    this.#settings = settings;
    this.#context = context;
    this.server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    this.server.on('connection', (client) => this.#accepted(client));
  }

  /** Connections that are open go on as they are, also when the upstream now leads somewhere else. */
  update(settings: UpstreamSettings): void {
    this.#settings = settings;
  }

  get active(): number {
    return this.#clients.size;
  }

  destroyConnections(): void {
    for (const client of this.#clients) new Side(client).abort();
  }

  #accepted(client: Socket): void {
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    const settings = this.#settings;
    const name = settings.upstream.destinationName;
    const max = settings.upstream.connectionsMax;
    if (max > 0 && this.#clients.size > max) {
      this.#fail(client, name, 'limit', { max });
      return;
    }
    if (settings.tls === null) {
      this.#fail(client, name, 'not_ready', { reason: 'the agent has not told roots and leaf certificate yet' });
      return;
    }
    void this.#connect(client, settings, settings.tls);
  }

  async #connect(client: Socket, settings: UpstreamSettings, tls: TlsMaterial): Promise<void> {
    const { upstream } = settings;
    const name = upstream.destinationName;
    const abandoned = new AbortController();
    const leave = (): void => abandoned.abort();
    client.once('error', leave);
    client.once('close', leave);
    const cancelTimer = this.#context.clock.after(upstream.connectTimeoutMs, () =>
      abandoned.abort(new Error(`no instance within ${upstream.connectTimeoutMs} ms`)),
    );
    const found = await this.#tryInstances(settings, tls, abandoned.signal);
    cancelTimer();
    client.off('error', leave);
    client.off('close', leave);
    if (client.destroyed) {
      if (found.ok) {
        found.pick.release();
        found.peer.socket.destroy();
      }
      return;
    }
    if (found.ok) this.#splice(client, found.peer, found.pick, settings);
    else this.#fail(client, name, found.failure, found.fields);
  }

  async #tryInstances(settings: UpstreamSettings, tls: TlsMaterial, signal: AbortSignal): Promise<Found> {
    const { upstream, balancer } = settings;
    const counters = upstreamCounters(this.#context.counters, upstream.destinationName);
    const tried = new Set<string>();
    let last: { failure: UpstreamFailure; fields: Record<string, unknown> } = {
      failure: 'no_endpoints',
      fields: { reason: 'no healthy instances found' },
    };
    while (true) {
      const pick = balancer.pick(tried);
      if (pick === null) return { ok: false, ...last };
      if (tried.size > 0) counters.retries += 1;
      tried.add(pick.endpoint.id);
      try {
        const peer = await dialPeer(pick.endpoint, tls, signal, this.#context.clock.wallMs());
        pick.connected();
        return { ok: true, peer, pick };
      } catch (error) {
        pick.release();
        const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
        const fields = { instance: pick.endpoint.id, address: `${pick.endpoint.address}:${pick.endpoint.port}` };
        if (signal.aborted) return { ok: false, failure: 'dial_timeout', fields: { ...fields, reason } };
        pick.failed();
        const mismatch = error instanceof ProxyError && error.code === 'identity_mismatch';
        last = {
          failure: mismatch ? 'identity_mismatch' : 'dial_failed',
          fields: { ...fields, reason: mismatch ? error.message : reason },
        };
        this.#context.log.warn('failed to dial', { upstream: upstream.destinationName, ...last.fields });
      }
    }
  }

  #splice(client: Socket, peer: DialedPeer, pick: Pick, settings: UpstreamSettings): void {
    const { counters, sweeper, log } = this.#context;
    const name = settings.upstream.destinationName;
    const count = opened([upstreamCounters(counters, name)]);
    const [inner, outer] = [new Side(client), new Side(peer.socket, peer.transport)];
    const cut = (): void => {
      inner.abort();
      outer.abort();
    };
    const unwatch = sweeper.watch({
      progress: () => count.bytes(client.bytesRead, client.bytesWritten),
      totalBytes: () => client.bytesRead + client.bytesWritten,
      idleTimeoutMs: () => this.#settings.idleTimeoutMs,
      close: cut,
    });
    let refused = false;
    peer.socket.once('end', () => {
      refused = client.bytesWritten === 0 && !client.readableEnded;
    });
    const { uri, protocol, resumed } = peer;
    log.debug('connected', { upstream: name, instance: pick.endpoint.id, peer: uri, tls: protocol, resumed });
    splice(inner, outer, ({ error }) => {
      pick.release();
      unwatch();
      count.bytes(client.bytesRead, client.bytesWritten);
      count.closed();
      const bytes = { sent: client.bytesRead, received: client.bytesWritten };
      log.debug('connection closed', { upstream: name, ...bytes, ...(error && { error: error.message }) });
      // With TLS 1.3 the far side judges us after our handshake is done: a refusal looks like a peer that hangs up.
      if (refused || (error !== null && bytes.received === 0)) {
        log.warn('the peer hung up without an answer: it may not allow this service', {
          upstream: name,
          instance: pick.endpoint.id,
          ...(error && { reason: (error as NodeJS.ErrnoException).code ?? error.message }),
        });
      }
    });
  }

  #fail(client: Socket, name: string, failure: UpstreamFailure, fields: Record<string, unknown>): void {
    bump(upstreamCounters(this.#context.counters, name).failed, failure);
    this.#context.log.warn('cannot connect', { upstream: name, failure, ...fields });
    client.on('error', () => {}); // it is given up already
    new Side(client).abort();
  }
}

type Found =
  | { readonly ok: true; readonly peer: DialedPeer; readonly pick: Pick }
  | { readonly ok: false; readonly failure: UpstreamFailure; readonly fields: Record<string, unknown> };
