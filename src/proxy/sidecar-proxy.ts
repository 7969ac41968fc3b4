/**
 * The data plane of one sidecar. `apply` takes a snapshot and makes the running listeners agree with it, changing only
 * what differs; it may be called as often as the source likes.
 *
 *     snapshot ──▶ TLS material (roots, leaf)  ──▶ public listener   (needs material, intentions, an application)
 *             └──▶ endpoints ──▶ balancers     ──▶ upstream listeners, one an upstream, from the first configuration on
 *
 * A listener whose address is unchanged is updated in place; open connections survive every change except an intention
 * that now denies them.
 */
import { Balancer } from './balancer.ts';
import { newCounters, type ProxyCounters } from './counters.ts';
import { ProxyError } from './errors.ts';
import { Listener, type ListenerContext } from './listener.ts';
import { PublicListener, type PublicSettings } from './public-listener.ts';
import {
  type Authorize,
  type Leaf,
  type ProxyConfig,
  type ProxyOptions,
  type ProxySnapshot,
  showAddress,
  type TrustBundle,
  type UpstreamConfig,
  type UpstreamKey,
} from './snapshot.ts';
import { Sweeper } from './sweeper.ts';
import { buildTlsMaterial, type TlsMaterial } from './tls-material.ts';
import { UpstreamListener } from './upstream-listener.ts';

export interface SidecarProxyDependencies extends Omit<ListenerContext, 'counters' | 'sweeper'> {
  /** Told when the public listener, or the listener of an upstream, has begun to accept. */
  readonly onListening?: (name: string) => void;
}

interface TlsInput {
  readonly trust: TrustBundle;
  readonly leaf: Leaf;
  readonly minVersion: ProxyOptions['tlsMinVersion'];
}

export class SidecarProxy {
  readonly counters: ProxyCounters = newCounters();
  readonly #context: ListenerContext;
  readonly #onListening: (name: string) => void;
  readonly #balancers = new Map<UpstreamKey, Balancer>();
  readonly #upstreams = new Map<string, Listener<UpstreamListener>>();
  /** Stopped ones with connections inside: a drain waits for them, a close ends them. */
  readonly #retired = new Set<Listener>();
  #public: Listener<PublicListener> | null = null;
  #tlsInput: TlsInput | null = null;
  #tls: TlsMaterial | null = null;
  #stopping = false;

  constructor(deps: SidecarProxyDependencies) {
    this.#context = { ...deps, counters: this.counters, sweeper: new Sweeper(deps.clock) };
    this.#onListening = deps.onListening ?? (() => {});
  }

  /** Connections open now, over all listeners, also those that no longer accept. */
  get activeConnections(): number {
    let total = 0;
    for (const listener of this.#all()) total += listener.inside.active;
    return total;
  }

  get listeners(): readonly { readonly name: string; readonly address: string; readonly listening: boolean }[] {
    const current = [...(this.#public === null ? [] : [this.#public]), ...this.#upstreams.values()];
    return current.map(({ name, at, listening }) => ({ name, address: showAddress(at), listening }));
  }

  apply(snapshot: ProxySnapshot): void {
    if (snapshot.authorize !== null) this.#reauthorize(snapshot.authorize);
    if (this.#stopping || snapshot.config === null) return;
    this.#applyTls(snapshot, snapshot.config);
    this.#applyEndpoints(snapshot, snapshot.config);
    this.#applyPublic(snapshot, snapshot.config);
    this.#applyUpstreams(snapshot.config);
    for (const retired of this.#retired) if (retired.inside.active === 0) this.#retired.delete(retired);
  }

  /** Stops accepting at once, then waits for open connections, at most `graceMs`; what is left then is cut. */
  async drain(graceMs: number): Promise<{ readonly cut: number }> {
    this.#stopping = true;
    for (const listener of this.#all()) listener.stop();
    const deadline = this.#context.clock.monotonicMs() + graceMs;
    while (this.activeConnections > 0 && this.#context.clock.monotonicMs() < deadline) {
      await new Promise<void>((resolve) => this.#context.clock.after(50, resolve));
    }
    const cut = this.activeConnections;
    for (const listener of this.#all()) listener.inside.destroyConnections();
    this.#context.log.info('drained', { cut, ...this.summary() });
    return { cut };
  }

  /** The counters in one flat record, for a log line. */
  summary(): Record<string, number> {
    const { inbound, upstreams } = this.counters;
    const sum = (table: Partial<Record<string, number>>): number =>
      Object.values(table).reduce<number>((total, n) => total + (n ?? 0), 0);
    let [connections, sent, received, failed] = [0, 0, 0, 0];
    for (const upstream of upstreams.values()) {
      connections += upstream.connections;
      sent += upstream.bytesSent;
      received += upstream.bytesReceived;
      failed += sum(upstream.failed);
    }
    return {
      inboundConnections: inbound.connections,
      inboundBytesReceived: inbound.bytesSent,
      inboundBytesSent: inbound.bytesReceived,
      inboundRefused: sum(inbound.refused),
      upstreamConnections: connections,
      upstreamBytesSent: sent,
      upstreamBytesReceived: received,
      upstreamFailed: failed,
    };
  }

  *#all(): Iterable<Listener> {
    if (this.#public !== null) yield this.#public;
    yield* this.#upstreams.values();
    yield* this.#retired;
  }

  #applyTls({ trust, leaf }: ProxySnapshot, config: ProxyConfig): void {
    if (trust === null || leaf === null) return;
    const before = this.#tlsInput;
    const minVersion = config.options.tlsMinVersion;
    if (before?.trust === trust && before.leaf === leaf && before.minVersion === minVersion) return;
    this.#tlsInput = { trust, leaf, minVersion };
    try {
      this.#tls = buildTlsMaterial(trust, leaf, minVersion);
      this.#context.log.info(before === null ? 'parsed TLS identity' : 'new TLS identity for new connections', {
        uri: leaf.uri,
        serial: this.#tls.serial,
        roots: trust.rootsPem.length,
        validBefore: new Date(leaf.validBeforeMs).toISOString(),
      });
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      const kept = this.#tls === null ? 'there is none to go on with' : 'going on with the previous one';
      this.#context.log.error(`the new TLS identity cannot be used, ${kept}`, { reason: error.message });
    }
  }

  #applyEndpoints(snapshot: ProxySnapshot, config: ProxyConfig): void {
    const wanted = new Set(config.upstreams.map((upstream) => upstream.key));
    for (const key of this.#balancers.keys()) if (!wanted.has(key)) this.#balancers.delete(key);
    for (const key of wanted) {
      const endpoints = snapshot.endpoints.get(key);
      if (endpoints !== undefined) this.#balancer(key).setEndpoints(endpoints);
    }
  }

  #balancer(key: UpstreamKey): Balancer {
    const known = this.#balancers.get(key) ?? new Balancer(this.#context.clock, this.#context.chance);
    this.#balancers.set(key, known);
    return known;
  }

  #applyPublic({ authorize }: ProxySnapshot, config: ProxyConfig): void {
    const { publicListener: at, application, options } = config;
    if (at === null || application === null) {
      this.#retire(this.#public);
      this.#public = null;
      return;
    }
    if (this.#tls === null || authorize === null) return;
    const settings: PublicSettings = { tls: this.#tls, authorize, application, options };
    const running = this.#public;
    if (running !== null && showAddress(running.at) === showAddress(at) && running.inside.accepts(settings)) {
      running.inside.update(settings);
      return;
    }
    this.#retire(running);
    const inside = new PublicListener(settings, this.#context);
    this.#public = new Listener('public', at, inside, this.#context, () => this.#onListening('public'));
  }

  /** Listeners are found again by their address; one that now leads elsewhere is updated in place. */
  #applyUpstreams(config: ProxyConfig): void {
    const wanted = new Map(config.upstreams.map((upstream) => [showAddress(upstream.listen), upstream]));
    for (const [address, listener] of this.#upstreams) {
      if (wanted.has(address)) continue;
      this.#retire(listener);
      this.#upstreams.delete(address);
    }
    for (const [address, upstream] of wanted) {
      const settings = this.#upstreamSettings(upstream, config);
      const running = this.#upstreams.get(address);
      if (running !== undefined) running.inside.update(settings);
      else this.#upstreams.set(address, this.#openUpstream(upstream, settings));
    }
  }

  #upstreamSettings(upstream: UpstreamConfig, config: ProxyConfig) {
    const { idleTimeoutMs } = config.options;
    return { upstream, tls: this.#tls, balancer: this.#balancer(upstream.key), idleTimeoutMs };
  }

  #openUpstream(upstream: UpstreamConfig, settings: ConstructorParameters<typeof UpstreamListener>[0]) {
    const name = `upstream ${upstream.destinationName}`;
    const inside = new UpstreamListener(settings, this.#context);
    return new Listener(name, upstream.listen, inside, this.#context, () => this.#onListening(name));
  }

  /** Also behind doors that are closed already: those connections are not exempt from intentions. */
  #reauthorize(authorize: Authorize): void {
    for (const { inside } of this.#all()) if (inside instanceof PublicListener) inside.reauthorize(authorize);
  }

  #retire(listener: Listener | null): void {
    if (listener === null) return;
    listener.stop();
    if (listener.inside.active > 0) this.#retired.add(listener);
  }
}
