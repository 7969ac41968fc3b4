/**
 * Registers a proxy that was configured by flags, so that others find it: a service of kind connect-proxy with a TTL check
 * that this process keeps alive. An agent that lost the registration (it restarted without its data) gets it again.
 */
import type { Clock } from '../std/clock.ts';
import type { AgentClient } from './agent-client.ts';
import { ProxyError } from './errors.ts';
import type { Logger } from './log.ts';

export interface RegistrarOptions {
  readonly service: string;
  /** Appended to the id, to run several proxies of one service at one agent; '' for none. */
  readonly idSuffix: string;
  readonly address: string;
  readonly port: number;
}

const ttl = '30s';
const heartbeatMs = 10_000;
const retryMs = 1_000;
const deregisterTries = 3;
const deregisterRetryMs = 500;

export class Registrar {
  readonly id: string;
  readonly #options: RegistrarOptions;
  readonly #client: AgentClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  #stopped = false;
  #registered = false;
  #cancel: () => void = () => {};

  constructor(options: RegistrarOptions, deps: { client: AgentClient; clock: Clock; log: Logger }) {
    this.#options = options;
    this.id = `${options.service}-proxy${options.idSuffix === '' ? '' : `-${options.idSuffix}`}`;
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  start(): void {
    void this.#beat();
  }

  /** Takes the registration away; a failure is logged, and the TTL turns it critical soon. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    if (!this.#registered) return;
    for (let left = deregisterTries; left > 0; left--) {
      const error = await this.#attempt('PUT', `/v1/agent/service/deregister/${encodeURIComponent(this.id)}`);
      if (error === null) return;
      this.#log.warn('cannot deregister the proxy', { id: this.id, reason: error.message, triesLeft: left - 1 });
      if (left > 1) await new Promise<void>((resolve) => this.#clock.after(deregisterRetryMs, resolve));
    }
  }

  async #beat(): Promise<void> {
    const error = this.#registered ? await this.#heartbeat() : await this.#register();
    if (this.#stopped) return;
    // A heartbeat that is refused means that the agent does not know the check any more.
    if (error?.code === 'agent_status') this.#registered = false;
    this.#cancel = this.#clock.after(error === null ? heartbeatMs : retryMs, () => void this.#beat());
  }

  async #register(): Promise<ProxyError | null> {
    const { service, address, port } = this.#options;
    const error = await this.#attempt('PUT', '/v1/agent/service/register', {
      Kind: 'connect-proxy',
      ID: this.id,
      Name: `${service}-proxy`,
      Address: address,
      Port: port,
      Proxy: { DestinationServiceName: service },
      Check: {
        CheckID: this.#checkId,
        Name: 'proxy heartbeat',
        TTL: ttl,
        Notes: 'Built-in proxy will heartbeat this check.',
        Status: 'passing',
      },
    });
    if (error === null) {
      this.#registered = true;
      this.#log.info('proxy registered', { id: this.id });
    } else {
      this.#log.warn('cannot register the proxy', { id: this.id, reason: error.message });
    }
    return error;
  }

  async #heartbeat(): Promise<ProxyError | null> {
    const error = await this.#attempt('PUT', `/v1/agent/check/pass/${encodeURIComponent(this.#checkId)}`);
    if (error !== null) this.#log.warn('heartbeat failed', { id: this.id, reason: error.message });
    return error;
  }

  get #checkId(): string {
    return `${this.id}-ttl`;
  }

  async #attempt(method: string, path: string, body?: unknown): Promise<ProxyError | null> {
    try {
      await this.#client.ask(method, path, { body });
      return null;
    } catch (error) {
      if (error instanceof ProxyError) return error;
      throw error;
    }
  }
}
