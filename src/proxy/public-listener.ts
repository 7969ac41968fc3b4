/**
 * The door for peers: every connection proves who it is and is allowed in by an intention before the application hears of
 * it.
 *
 *     accept ─▶ TLS handshake ─▶ chain ─▶ SPIFFE URI ─▶ decision ─▶ dial application ─▶ splice
 *         │limit    │timeout       │        │             │            │unreachable       ▲
 *         └─────────┴──────────────┴────────┴─────────────┴────────────┴─ refused:        │ cut when a change of
 *                                                     counted and logged with its reason  │ intentions now denies it
 *
 * OpenSSL verifies the chain; Node is told not to act on the result itself, because it would close without a word, and we
 * owe the operator the reason. `#verify` is therefore the one place where an unverified peer is turned away.
 */
import { connect, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { bump, opened, sourceCounters } from './counters.ts';
import type { InboundRefusal } from './errors.ts';
import type { ListenerContext, ManagedServer } from './listener.ts';
import { type PeerIdentity, peerIdentity } from './peer-identity.ts';
import type { Authorize, ListenAddress, ProxyOptions } from './snapshot.ts';
import { Side, splice } from './splice.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface PublicSettings {
  readonly tls: TlsMaterial;
  readonly authorize: Authorize;
  readonly application: ListenAddress;
  readonly options: ProxyOptions;
}

interface Admitted {
  readonly peer: PeerIdentity;
  readonly cut: () => void;
}

const tcpOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

export class PublicListener implements ManagedServer {
  readonly server: Server;
  readonly #context: ListenerContext;
  #settings: PublicSettings;
  /** TCP sockets under handshake or in use, by the peer's address, to reset them where TLS has no way to say "failed". */
  readonly #transports = new Map<string, Socket>();
  readonly #admitted = new Set<Admitted>();

  constructor(settings: PublicSettings, context: ListenerContext) {
    this.#settings = settings;
    this.#context = context;
    this.server = createServer({
      ...settings.tls.options,
      ...tcpOptions,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: settings.options.handshakeTimeoutMs,
    });
    // Until a client is known, its end is the end of the connection: a TCP check connects and goes away, and half-open it
    // would stay for the whole handshake timeout. The TLS socket takes this over from its transport when it is made.
    this.server.prependListener('connection', (socket) => {
      socket.allowHalfOpen = false;
    });
    this.server.on('connection', (socket) => this.#accepted(socket));
    this.server.on('secureConnection', (socket) => this.#secured(socket));
    this.server.on('tlsClientError', (error, socket) => this.#handshakeFailed(error, socket));
    this.server.on('drop', (drop) => this.#refuse('limit', `${drop?.remoteAddress}:${drop?.remotePort}`, {}));
    this.#applyLimit();
  }

  /** New handshakes use the new certificate and roots; open connections stay unless their source is now denied. */
  update(settings: PublicSettings): void {
    const { tls, options, authorize } = this.#settings;
    this.#settings = { ...settings, authorize };
    if (tls !== settings.tls) this.server.setSecureContext(settings.tls.options);
    if (options !== settings.options) this.#applyLimit();
    this.reauthorize(settings.authorize);
  }

  /** Cuts every open connection whose source these intentions deny. */
  reauthorize(authorize: Authorize): void {
    if (authorize === this.#settings.authorize) return;
    this.#settings = { ...this.#settings, authorize };
    for (const admitted of [...this.#admitted]) {
      const decision = authorize(admitted.peer.id);
      if (decision.allowed) continue;
      admitted.cut();
      this.#refuse('cut', '', { source: admitted.peer.uri, reason: decision.reason });
    }
  }

  /** Whether this server can take these settings on, or a new one is needed. */
  accepts(settings: PublicSettings): boolean {
    return this.#settings.options.handshakeTimeoutMs === settings.options.handshakeTimeoutMs;
  }

  get active(): number {
    return this.#transports.size;
  }

  destroyConnections(): void {
    for (const connection of [...this.#admitted]) connection.cut();
    for (const transport of this.#transports.values()) if (!transport.destroyed) transport.destroy();
  }

  #applyLimit(): void {
    const max = this.#settings.options.inboundConnectionsMax;
    this.server.maxConnections = max === 0 ? Number.MAX_SAFE_INTEGER : max;
  }

  #accepted(socket: Socket): void {
    const key = peerAddress(socket);
    this.#transports.set(key, socket);
    socket.once('close', () => {
      if (this.#transports.get(key) === socket) this.#transports.delete(key);
    });
  }

  #secured(socket: TLSSocket): void {
    const from = peerAddress(socket);
    const transport = this.#transports.get(from) ?? socket;
    socket.allowHalfOpen = true;
    socket.disableRenegotiation();
    const verified = this.#verify(socket);
    if (!verified.ok) {
      socket.on('error', () => {}); // it is refused already; how the peer takes it is of no interest
      new Side(socket, transport).abort();
      this.#refuse(verified.refusal, from, { reason: verified.reason, ...verified.fields });
      return;
    }
    this.#dialApplication(socket, transport, verified.peer, from);
  }

  #verify(socket: TLSSocket): Verified {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) {
      return { ok: false, refusal: 'no_client_certificate', reason: 'a client certificate is required', fields: {} };
    }
    if (!socket.authorized) {
      const reason = String(socket.authorizationError ?? 'not verified');
      return { ok: false, refusal: 'untrusted_certificate', reason, fields: { subject: certificate.subject } };
    }
    const peer = peerIdentity(certificate);
    if (!peer.ok) {
      return {
        ok: false,
        refusal: 'invalid_identity',
        reason: peer.error,
        fields: { subject: certificate.subject },
      };
    }
    const { uri, id, validToMs } = peer.value;
    // A resumed session skips the chain, so the one thing that changes by itself, time, is looked at here.
    if (validToMs < this.#context.clock.wallMs()) {
      return { ok: false, refusal: 'untrusted_certificate', reason: 'CERT_HAS_EXPIRED', fields: { source: uri } };
    }
    const decision = this.#settings.authorize(id);
    if (decision.allowed) return { ok: true, peer: peer.value };
    sourceCounters(this.#context.counters.inbound, id.service).refused += 1;
    return { ok: false, refusal: 'denied', reason: decision.reason, fields: { source: uri } };
  }

  #dialApplication(socket: TLSSocket, transport: Socket, peer: PeerIdentity, from: string): void {
    const { application, options } = this.#settings;
    const app = dial(application);
    const outer = new Side(socket, transport);
    const unreachable = (error: Error): void => {
      app.destroy();
      outer.abort();
      const reason = (error as NodeJS.ErrnoException).code ?? error.message;
      this.#refuse('application_unreachable', from, { source: peer.uri, reason });
    };
    const gone = (): void => {
      app.destroy();
    };
    const cancel = this.#context.clock.after(options.localConnectTimeoutMs, () =>
      unreachable(new Error(`no connection within ${options.localConnectTimeoutMs} ms`)),
    );
    // The decision may change, or the peer leave, while the application is being dialled.
    const admitted: Admitted = { peer, cut: () => outer.abort() };
    this.#admitted.add(admitted);
    socket.once('error', gone);
    socket.once('close', gone);
    app.once('error', unreachable);
    app.once('close', () => {
      cancel();
      this.#admitted.delete(admitted);
    });
    app.once('connect', () => {
      cancel();
      app.off('error', unreachable);
      socket.off('error', gone);
      socket.off('close', gone);
      this.#admitted.delete(admitted);
      this.#splice(outer, app, peer, from);
    });
  }

  #splice(outer: Side, app: Socket, peer: PeerIdentity, from: string): void {
    const { counters, sweeper, log } = this.#context;
    const count = opened([counters.inbound, sourceCounters(counters.inbound, peer.id.service)]);
    const inner = new Side(app);
    const admitted: Admitted = {
      peer,
      cut: () => {
        outer.abort();
        inner.abort();
      },
    };
    this.#admitted.add(admitted);
    const unwatch = sweeper.watch({
      progress: () => count.bytes(app.bytesWritten, app.bytesRead),
      totalBytes: () => app.bytesWritten + app.bytesRead,
      idleTimeoutMs: () => this.#settings.options.idleTimeoutMs,
      close: admitted.cut,
    });
    log.debug('connection accepted', { source: peer.uri, from });
    splice(outer, inner, ({ error }) => {
      this.#admitted.delete(admitted);
      unwatch();
      count.bytes(app.bytesWritten, app.bytesRead);
      count.closed();
      const bytes = { received: app.bytesWritten, sent: app.bytesRead };
      log.debug('connection closed', { source: peer.uri, from, ...bytes, ...(error && { error: error.message }) });
    });
  }

  #handshakeFailed(error: Error & { code?: string }, socket: TLSSocket): void {
    const timeout = error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
    const reason = error.code ?? error.message;
    // Who leaves by himself was not refused: health checks only knock.
    if (reason === 'ECONNRESET') return;
    this.#refuse(timeout ? 'handshake_timeout' : 'handshake_failed', peerAddress(socket), { reason });
    socket.destroy();
  }

  #refuse(refusal: InboundRefusal, from: string, fields: Record<string, unknown>): void {
    bump(this.#context.counters.inbound.refused, refusal);
    const level = refusal === 'handshake_failed' ? 'debug' : 'warn';
    const text = refusal === 'cut' ? 'open connection cut' : 'connection refused';
    this.#context.log[level](text, { refusal, ...(from !== '' && { from }), ...fields });
  }
}

type Verified =
  | { readonly ok: true; readonly peer: PeerIdentity }
  | {
      readonly ok: false;
      readonly refusal: InboundRefusal;
      readonly reason: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

function dial(at: ListenAddress): Socket {
  return at.kind === 'unix'
    ? connect({ ...tcpOptions, path: at.path })
    : connect({ ...tcpOptions, host: at.address, port: at.port });
}

function peerAddress(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
