/**
 * Where a sidecar's snapshot comes from: one agent's HTTP API, by blocking queries.
 *
 *     /v1/agent/service/:id?hash=            what to do        (or flags, which never change)
 *     /v1/agent/connect/ca/roots             whom to trust
 *     /v1/agent/connect/ca/leaf/:service     who we are
 *     /v1/connect/intentions/match           who may come in   (only with a public listener)
 *     /v1/health/connect/:name?passing       where to go       (one an upstream)
 *
 * The agent may be away at any time: what was last known stands, the loss and the return are logged once each, and the
 * connections that are open do not notice.
 */
import { parseSpiffe, type ServiceId } from '../ca/identity/index.ts';
import type { AgentClient } from './agent-client.ts';
import { type ConfigProblem, decodeEndpoints, decodeLeaf, decodeRegistration, decodeRoots } from './agent-records.ts';
import { authorizeBy, decodeMatch, type MatchedIntentions } from './authorize.ts';
import type { ProxyError } from './errors.ts';
import type { Logger } from './log.ts';
import type { Leaf, ProxyConfig, ProxySnapshot, UpstreamConfig, UpstreamKey } from './snapshot.ts';
import { Watch, type WatchDependencies, type WatchOptions } from './watch.ts';

export interface SourceOptions {
  /**
   * A registration to follow, or a configuration that stays. `bindAddress`: for the public listener of a registration without an
   * address; every address of the host if absent.
   */
  readonly from:
    | { readonly proxyId: string; readonly bindAddress?: string | undefined }
    | { readonly config: ProxyConfig };
  readonly token?: string | undefined;
}

export interface SourceDependencies extends WatchDependencies {
  readonly client: AgentClient;
  readonly log: Logger;
  readonly onSnapshot: (snapshot: ProxySnapshot) => void;
}

interface Stoppable {
  stop(): void;
}

/** How long one question may stand: a lost answer is noticed at the latest after this. */
const waitSeconds = 300;

export class AgentSource {
  readonly #options: SourceOptions;
  readonly #deps: SourceDependencies;
  #snapshot: ProxySnapshot = { config: null, trust: null, leaf: null, authorize: null, endpoints: new Map() };
  #matched: MatchedIntentions | null = null;
  #registration: Stoppable | null = null;
  #roots: Stoppable | null = null;
  /** Watches about our own service, and the service they are about. */
  #own: { service: string; watches: Stoppable[]; inbound: boolean } | null = null;
  readonly #endpoints = new Map<UpstreamKey, Stoppable>();
  #away = 0;

  constructor(options: SourceOptions, deps: SourceDependencies) {
    this.#options = options;
    this.#deps = deps;
  }

  get snapshot(): ProxySnapshot {
    return this.#snapshot;
  }

  start(): void {
    const { from } = this.#options;
    this.#roots = this.#watch({
      path: '/v1/agent/connect/ca/roots',
      decode: decodeRoots,
      onValue: (trust) => this.#change({ trust }),
    });
    if ('config' in from) {
      this.#configured(from.config, []);
      return;
    }
    this.#registration = this.#watch({
      path: `/v1/agent/service/${encodeURIComponent(from.proxyId)}`,
      by: 'hash',
      decode: (json) => decodeRegistration(json, from.bindAddress),
      onValue: ({ config, problems }) => this.#configured(config, problems),
    });
  }

  stop(): void {
    this.#registration?.stop();
    this.#roots?.stop();
    for (const watch of this.#own?.watches ?? []) watch.stop();
    for (const watch of this.#endpoints.values()) watch.stop();
    this.#endpoints.clear();
  }

  #configured(config: ProxyConfig, problems: readonly ConfigProblem[]): void {
    for (const { what, reason } of problems)
      this.#deps.log.error('cannot use part of the configuration', { what, reason });
    this.#followOwn(config);
    const endpoints = this.#followUpstreams(config.upstreams);
    this.#change({ config, endpoints });
  }

  #followOwn(config: ProxyConfig): void {
    const inbound = config.publicListener !== null;
    if (this.#own?.service === config.service && this.#own.inbound === inbound) return;
    for (const watch of this.#own?.watches ?? []) watch.stop();
    const otherService = this.#own !== null && this.#own.service !== config.service;
    if (otherService) {
      this.#matched = null;
      this.#snapshot = { ...this.#snapshot, leaf: null, authorize: null };
    }
    const watches = [this.#watchLeaf(config.service)];
    if (inbound) watches.push(this.#watchIntentions(config.service));
    this.#own = { service: config.service, inbound, watches };
  }

  #watchLeaf(service: string): Stoppable {
    return this.#watch({
      path: `/v1/agent/connect/ca/leaf/${encodeURIComponent(service)}`,
      decode: decodeLeaf,
      onValue: (leaf) => this.#change({ leaf, authorize: this.#decide(this.#matched, leaf) }),
    });
  }

  #watchIntentions(service: string): Stoppable {
    return this.#watch({
      path: '/v1/connect/intentions/match',
      query: { by: 'destination', name: service },
      decode: (json, { headers }) => decodeMatch(json, headers),
      onValue: (matched) => {
        this.#matched = matched;
        this.#change({ authorize: this.#decide(matched, this.#snapshot.leaf) });
      },
    });
  }

  /** Our own identity says which mesh and datacenter decide, so both intentions and leaf must be known. */
  #decide(matched: MatchedIntentions | null, leaf: Leaf | null): ProxySnapshot['authorize'] {
    if (matched === null || leaf === null) return null;
    const own = parseSpiffe(leaf.uri);
    if (!own.ok || own.value.kind !== 'service') {
      this.#deps.log.error('our own leaf certificate does not name a service', { uri: leaf.uri });
      return null;
    }
    const id: ServiceId = own.value;
    return authorizeBy(matched, id);
  }

  #followUpstreams(upstreams: readonly UpstreamConfig[]): ProxySnapshot['endpoints'] {
    const wanted = new Map(upstreams.map((upstream) => [upstream.key, upstream]));
    for (const [key, watch] of this.#endpoints) {
      if (wanted.has(key)) continue;
      watch.stop();
      this.#endpoints.delete(key);
    }
    for (const [key, upstream] of wanted) {
      if (!this.#endpoints.has(key)) this.#endpoints.set(key, this.#watchEndpoints(upstream));
    }
    return new Map([...this.#snapshot.endpoints].filter(([key]) => wanted.has(key)));
  }

  #watchEndpoints({ key, destinationName, datacenter }: UpstreamConfig): Stoppable {
    return this.#watch({
      path: `/v1/health/connect/${encodeURIComponent(destinationName)}`,
      query: { passing: '1', ...(datacenter !== '' && { dc: datacenter }) },
      decode: decodeEndpoints,
      onValue: (list) => {
        this.#deps.log.debug('instances', { upstream: destinationName, healthy: list.length });
        this.#change({ endpoints: new Map(this.#snapshot.endpoints).set(key, list) });
      },
    });
  }

  #change(part: Partial<ProxySnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    this.#deps.onSnapshot(this.#snapshot);
  }

  #watch<T>(
    options: Pick<WatchOptions<T>, 'path' | 'decode' | 'onValue'> & Partial<Pick<WatchOptions<T>, 'by' | 'query'>>,
  ): Watch<T> {
    const { client, clock, chance } = this.#deps;
    const full: WatchOptions<T> = {
      by: 'index',
      token: this.#options.token,
      waitSeconds,
      ...options,
      onFailure: (error) => this.#failed(options.path, error),
      onRecovery: () => this.#recovered(options.path),
    };
    return new Watch(full, { client, clock, chance }).start();
  }

  /** The agent being away concerns all watches at once: that is one line. What it answers to one of them is that one's. */
  #failed(path: string, error: ProxyError): void {
    const known = this.#snapshot.trust === null ? 'waiting for it' : 'going on with what was last known';
    if (error.code === 'agent_unreachable') {
      this.#away += 1;
      if (this.#away > 1) return;
      this.#deps.log.warn(`the agent cannot be reached, ${known}`, {
        agent: this.#deps.client.address,
        reason: error.message,
      });
      return;
    }
    // An agent that is starting has no authority yet: that is a stage, not a fault.
    const level = this.#snapshot.trust === null ? 'warn' : 'error';
    this.#deps.log[level](`the agent's answer cannot be used, ${known}`, { path, reason: error.message });
  }

  #recovered(path: string): void {
    if (this.#away > 0) this.#deps.log.info('the agent answers again', { agent: this.#deps.client.address });
    else this.#deps.log.info('the answer is good again', { path });
    this.#away = 0;
  }
}
