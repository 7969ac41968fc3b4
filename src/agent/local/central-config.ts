/**
 * Central configuration of this agent's proxies: what the servers resolve from proxy-defaults and service-defaults is filled
 * into each registration and kept current for as long as it stands.
 *
 *     registration by the API ──> resolved first: without an answer it is refused
 *     every proxy             ──> one blocking read ──> local state ──> catalog, sidecars
 *                                                   └─> data directory: what a start without servers goes on with
 */
import type { Backend, Caller } from '../../api/backend.ts';
import { serviceConfigRequest } from '../../mesh/index.ts';
import type { Clock } from '../../std/clock.ts';
import { jsonText, type NodeService, type ServiceConfig, type ServiceConfigRequest } from '../../structs/index.ts';
import { LocalError } from './errors.ts';
import { pause } from './pause.ts';
import type { Persistence } from './persistence.ts';
import type { LocalState } from './state.ts';

export interface CentralConfigParts {
  readonly state: LocalState;
  readonly persistence: Persistence;
  readonly backend: Pick<Backend, 'query'>;
  readonly clock: Clock;
  /** The token that counts for a registration that brought this one. */
  readonly tokenOf: (own: string) => string;
  readonly log: { warn(message: string, fields?: Record<string, unknown>): void };
}

const retryMs = { first: 500, max: 30_000 };
const waitMs = 600_000;

/** One proxy that is followed. */
interface Follower {
  readonly request: string;
  readonly token: string;
  readonly stop: AbortController;
  /** Resolves at the first answer, or the first failure. */
  readonly first: Promise<void>;
}

export class CentralConfig {
  readonly #parts: CentralConfigParts;
  readonly #followers = new Map<string, Follower>();
  #unwatch: () => void = () => undefined;

  constructor(parts: CentralConfigParts) {
    this.#parts = parts;
  }

  /** What central configuration says of a service that is about to be registered; undefined where it has no say. */
  async resolve(service: NodeService, token: string): Promise<ServiceConfig | undefined> {
    const request = serviceConfigRequest(service);
    if (request === undefined) return undefined;
    try {
      return (await this.#ask(request, token, 0, undefined)).value;
    } catch (error) {
      const text = `could not retrieve initial service_defaults config for service ${JSON.stringify(service.ID)}: ${(error as Error).message}`;
      throw new LocalError('failed', text, {}, { cause: error });
    }
  }

  /** Fills in what was known when the agent ran last, as far as the same is still asked. */
  restore(): void {
    const { state, persistence } = this.#parts;
    for (const { ServiceID: id, Request, Defaults } of persistence.centrals()) {
      const entry = state.service(id);
      const request = entry === undefined ? undefined : serviceConfigRequest(entry.definition);
      if (request !== undefined && jsonText(request) === jsonText(Request)) state.putCentral(id, Defaults);
      else persistence.removeCentral(id);
    }
  }

  /** Follows every proxy from now on; resolves when each is filled in, or could not be. */
  async begin(): Promise<void> {
    const { state } = this.#parts;
    this.#unwatch = state.watch((change) => {
      if (change.kind === 'service') this.#look(change.id);
    });
    for (const id of state.services().keys()) this.#look(id);
    const unknown = [...this.#followers].filter(([id]) => state.service(id)?.central === undefined);
    await Promise.all(unknown.map(([, follower]) => follower.first));
  }

  stop(): void {
    this.#unwatch();
    for (const { stop } of this.#followers.values()) stop.abort();
    this.#followers.clear();
  }

  /** Begins, changes or ends the following of a service. */
  #look(id: string): void {
    const { state, persistence } = this.#parts;
    const entry = state.service(id);
    const request = entry === undefined ? undefined : serviceConfigRequest(entry.definition);
    const before = this.#followers.get(id);
    if (entry !== undefined && request !== undefined) {
      if (before?.request === jsonText(request) && before.token === entry.token) return;
      before?.stop.abort();
      this.#followers.set(id, this.#follower(id, request, entry.token));
    } else if (before !== undefined) {
      before.stop.abort();
      this.#followers.delete(id);
      persistence.removeCentral(id);
    }
  }

  #follower(id: string, request: ServiceConfigRequest, token: string): Follower {
    const stop = new AbortController();
    const first = new Promise<void>((resolve) => void this.#follow(id, request, token, stop.signal, resolve));
    return { request: jsonText(request), token, stop, first };
  }

  async #follow(
    id: string,
    request: ServiceConfigRequest,
    token: string,
    signal: AbortSignal,
    asked: () => void,
  ): Promise<void> {
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const answer = await this.#ask(request, token, index, signal);
        if (signal.aborted) return;
        if (failures > 1) this.#parts.log.warn('central configuration is known again', { service: id });
        failures = 0;
        // An index of 0 would not block: the next read would come at once, and so on for ever.
        index = Math.max(1, answer.index < index ? 0 : answer.index);
        this.#took(id, request, answer.value);
      } catch (error) {
        if (signal.aborted) return;
        if (++failures === 2) {
          const fields = { service: id, error: (error as Error).message };
          this.#parts.log.warn('central configuration cannot be read: going on with what was known', fields);
        }
      } finally {
        asked();
      }
      if (failures > 0)
        await pause(this.#parts.clock, Math.min(retryMs.first * 2 ** (failures - 1), retryMs.max), signal);
    }
  }

  #took(id: string, Request: ServiceConfigRequest, Defaults: ServiceConfig): void {
    const { state, persistence, log } = this.#parts;
    const known = state.service(id)?.central;
    const changed = known === undefined || jsonText(known) !== jsonText(Defaults);
    if (changed) state.putCentral(id, Defaults);
    try {
      persistence.putCentral({ ServiceID: id, Request, Defaults });
    } catch (error) {
      log.warn('central configuration of a proxy is not kept', { service: id, error: (error as Error).message });
    }
  }

  async #ask(request: ServiceConfigRequest, token: string, minIndex: number, signal: AbortSignal | undefined) {
    const caller: Caller = {
      token: this.#parts.tokenOf(token),
      address: '',
      call: 'central configuration',
      datacenter: '',
    };
    return this.#parts.backend.query('configEntry.resolve', request, {
      ...{ caller, consistency: 'default', minIndex, waitMs },
      ...(signal === undefined ? {} : { signal }),
    });
  }
}
