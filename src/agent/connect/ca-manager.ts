/**
 * The leader's certificate authority: the driver round `src/ca/lifecycle`. It makes the first root when a leader finds none,
 * signs what agents ask for, changes the configuration, and forgets old roots. What it decides is written through the log;
 * it keeps nothing that the next leader would miss.
 *
 *     UNINITIALIZED --becomeLeader--> INITIALIZING --> INITIALIZED <--> RECONFIGURING
 *           ^                              |  ^ 1, 2, 4 … 256 s            (or RENEWING: pruning old roots)
 *           +---------- loseLeadership ----+--+
 *
 * One change at a time: a second one meanwhile is refused, not queued, so that an operator never rotates by surprise.
 */
import {
  type AuthorityContext,
  type CaChange,
  CaError,
  type CaResult,
  type CaState,
  type ConfigurationRequest,
  type ConsulProviderConfig,
  CsrConcurrencyLimit,
  CsrRateLimit,
  checkCsr,
  initialise,
  openSigner,
  type ProviderConfig,
  pruneRoots,
  reconfigure,
  type Signer,
  type SigningRequest,
  signLeaf,
} from '../../ca/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { IssuedCert } from '../../structs/index.ts';

/** What the manager needs of the server it runs in. */
export interface CaServer {
  readonly datacenter: string;
  /** This server's own state, caught up with the log when it became leader. */
  read(): CaState & { readonly rootsIndex: number };
  /** Throws a Refusal `conflict` when the state is no longer what `read` showed. */
  write(change: CaChange, basis: { readonly rootsIndex: number; readonly configurationIndex: number }): Promise<void>;
  nextSerial(): Promise<{ readonly Serial: number; readonly Index: number }>;
}

export interface CaManagerOptions {
  /** What the file says; used once, for the first root of the datacenter. */
  readonly provider: string;
  readonly config: ProviderConfig;
  /** Encrypts the CA key in the replicated state; null: stored in clear. */
  readonly sealKey: Uint8Array | null;
}

export interface CaLog {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export interface CaManagerDeps {
  readonly server: CaServer;
  readonly clock: Clock;
  readonly log: CaLog;
  randomBytes(size: number): Uint8Array;
  uuid(): string;
}

export type CaManagerState = 'UNINITIALIZED' | 'INITIALIZING' | 'INITIALIZED' | 'RENEWING' | 'RECONFIGURING';

const pruneIntervalMs = 3_600_000;
const retryMaxExponent = 8;

export class CaManager {
  #state: CaManagerState = 'UNINITIALIZED';
  /** Counts leaderships: what an earlier one left running ends when it sees another number. */
  #term = 0;
  #cancelTimer: () => void = () => undefined;
  #signing: Signing | null = null;
  readonly #options: CaManagerOptions;
  readonly #deps: CaManagerDeps;

  constructor(options: CaManagerOptions, deps: CaManagerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get state(): CaManagerState {
    return this.#state;
  }

  /** Call when this server leads and has applied the whole log. Resolves after the first try; failures are tried again. */
  async becomeLeader(): Promise<void> {
    this.loseLeadership();
    const term = this.#term;
    this.#state = 'INITIALIZING';
    await this.#tryInitialise(term, 0);
  }

  loseLeadership(): void {
    this.#term++;
    this.#cancelTimer();
    this.#signing = null;
    this.#state = 'UNINITIALIZED';
  }

  /**
   * Signs a leaf for the identity in the CSR. `authorize` throws unless the requester may act for it. Errors: the CSR's
   * (certain, nothing signed), `rate-limited`, `not-initialized`, and what writing to the log throws.
   */
  async sign(csr: string, authorize: (id: SigningRequest['id']) => void | Promise<void>): Promise<IssuedCert> {
    const signing = this.#openSigning();
    const { signer } = signing;
    const request = value(checkCsr(csr, signer.trustDomain, this.#deps.server.datacenter));
    await authorize(request.id);
    return signing.limits.run(async () => {
      const { Serial, Index } = await this.#deps.server.nextSerial();
      return value(signLeaf(signer, request, BigInt(Serial), Index, this.#deps.clock.wallMs()));
    });
  }

  /** Errors leave everything as it was, but for serial numbers that were taken. */
  async configure(request: ConfigurationRequest): Promise<void> {
    await this.#change('RECONFIGURING', async (state) => value(await reconfigure(state, request, this.#context())));
  }

  async #tryInitialise(term: number, attempt: number): Promise<void> {
    try {
      await this.#initialise();
      if (term !== this.#term) return;
      this.#state = 'INITIALIZED';
      this.#plan(pruneIntervalMs, () => this.#prune(term));
    } catch (error) {
      if (term !== this.#term) return;
      const delayMs = 1_000 * 2 ** Math.min(attempt, retryMaxExponent);
      this.#deps.log.warn('CA is not initialised', { error: textOf(error), retryInMs: delayMs });
      this.#plan(delayMs, () => this.#tryInitialise(term, attempt + 1));
    }
  }

  async #initialise(): Promise<void> {
    const { server, log } = this.#deps;
    const state = server.read();
    if (state.configuration !== null) {
      this.#openSigning();
      return;
    }
    const { provider, config } = this.#options;
    const change = value(await initialise(this.#deps.uuid(), { Provider: provider, Config: config }, this.#context()));
    await server.write(change, { rootsIndex: state.rootsIndex, configurationIndex: 0 });
    log.info('initialised the CA with a new root', { root: change.roots[0]?.ID, provider });
  }

  async #prune(term: number): Promise<void> {
    try {
      await this.#change('RENEWING', (state) => Promise.resolve(pruneRoots(state, this.#deps.clock.wallMs())));
    } catch (error) {
      this.#deps.log.warn('old CA roots could not be forgotten; tried again in an hour', { error: textOf(error) });
    }
    if (term === this.#term) this.#plan(pruneIntervalMs, () => this.#prune(term));
  }

  async #change(during: CaManagerState, decide: (state: CaState) => Promise<CaChange | null>): Promise<void> {
    if (this.#state === 'UNINITIALIZED' || this.#state === 'INITIALIZING') {
      throw new CaError('not-initialized', 'cluster has no CA bootstrapped yet');
    }
    if (this.#state !== 'INITIALIZED') {
      throw new CaError('config', `CA is already in state ${JSON.stringify(this.#state)}`);
    }
    const term = this.#term;
    this.#state = during;
    try {
      const state = this.#deps.server.read();
      const change = await decide(state);
      if (change === null) return;
      const basis = { rootsIndex: state.rootsIndex, configurationIndex: state.configuration?.ModifyIndex ?? 0 };
      await this.#deps.server.write(change, basis);
      this.#report(state, change);
    } finally {
      if (term === this.#term) this.#state = 'INITIALIZED';
    }
  }

  #report(before: CaState, { roots }: CaChange): void {
    const active = roots.find((root) => root.Active)?.ID;
    const wasActive = before.roots.find((root) => root.Active)?.ID;
    if (active !== wasActive) this.#deps.log.info('rotated the CA root', { from: wasActive, to: active });
    if (roots.length < before.roots.length) {
      this.#deps.log.info('forgot old CA roots', { forgotten: before.roots.length - roots.length });
    }
  }

  /** The signer of the state as it is now; opened anew only when the state changed. */
  #openSigning(): Signing {
    if (this.#state === 'UNINITIALIZED') {
      const text = 'CA is uninitialized and unable to sign certificates yet: provider is nil';
      throw new CaError('not-initialized', text);
    }
    const state = this.#deps.server.read();
    const version = `${state.rootsIndex} ${state.configuration?.ModifyIndex} ${state.providerState?.ModifyIndex}`;
    if (this.#signing?.version === version) return this.#signing;
    const signer = value(openSigner(state, this.#options.sealKey));
    // A change that leaves the limits alone must not hand out a fresh token.
    const kept = this.#signing?.limits.fits(signer.config) ? this.#signing.limits : null;
    this.#signing = { version, signer, limits: kept ?? new CsrLimits(signer.config, this.#deps.clock) };
    return this.#signing;
  }

  #context(): AuthorityContext {
    const { server, clock, randomBytes } = this.#deps;
    return {
      nowMs: clock.wallMs(),
      sealKey: this.#options.sealKey,
      randomBytes,
      nextSerial: async () => BigInt((await server.nextSerial()).Serial),
    };
  }

  #plan(delayMs: number, work: () => Promise<void>): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => void work());
  }
}

interface Signing {
  readonly version: string;
  readonly signer: Signer;
  readonly limits: CsrLimits;
}

/** Both limits of a configuration; the second counts only where the first is off. */
class CsrLimits {
  readonly #config: ConsulProviderConfig;
  readonly #clock: Clock;
  readonly #rate: CsrRateLimit;
  readonly #places: CsrConcurrencyLimit;

  constructor(config: ConsulProviderConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#rate = new CsrRateLimit(config.csrMaxPerSecond);
    this.#places = new CsrConcurrencyLimit(config.csrMaxPerSecond > 0 ? 0 : config.csrMaxConcurrent, clock);
  }

  fits(config: ConsulProviderConfig): boolean {
    return (
      config.csrMaxPerSecond === this.#config.csrMaxPerSecond &&
      config.csrMaxConcurrent === this.#config.csrMaxConcurrent
    );
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const waitMs = this.#rate.take(this.#clock.monotonicMs());
    if (waitMs === null || !(await this.#places.enter())) {
      throw new CaError('rate-limited', 'Rate limit reached, try again later');
    }
    try {
      if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
      return await work();
    } finally {
      this.#places.leave();
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function value<T>(result: CaResult<T>): T {
  if (!result.ok) throw result.error;
  return result.value;
}
