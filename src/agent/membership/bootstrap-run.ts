/**
 * Carries out what ./bootstrap.ts decides: looks at the pool, asks the other servers whether they belong to a cluster, and
 * resolves with the first configuration to begin with, or with undefined when a cluster will take this server in.
 */
import type { Clock } from '../../std/clock.ts';
import { type BootstrapDecision, consentMs, decideBootstrap, type Voter } from './bootstrap.ts';
import { rpcAddress, type ServerMember } from './tags.ts';

export interface BootstrapParts {
  readonly expect: number;
  readonly datacenter: string;
  readonly ownId: string;
  readonly clock: Clock;
  servers(): readonly ServerMember[];
  onChange(callback: () => void): () => void;
  /** Of another server: whether it belongs to a cluster. Rejects when it does not answer. */
  hasPeers(address: string): Promise<boolean>;
  /** Of any server, this one too: whether it agrees to begin with exactly these. */
  consent(address: string | undefined, voters: readonly Voter[]): Promise<boolean>;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
}

const lookMs = 250;

export class BootstrapRun {
  readonly #parts: BootstrapParts;
  #stopped = false;
  #saidReason = '';
  #wake: () => void = () => undefined;

  constructor(parts: BootstrapParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Never settles once stopped. */
  async run(): Promise<readonly Voter[] | undefined> {
    const { clock, onChange, ownId, expect, datacenter } = this.#parts;
    const cancelChange = onChange(() => this.#wake());
    try {
      while (!this.#stopped) {
        const servers = this.#parts.servers();
        const decision = decideBootstrap({ expect, datacenter, ownId, servers, hasPeers: await this.#askAll(servers) });
        const outcome = await this.#carryOut(decision);
        if (outcome !== undefined) return outcome.voters;
        await new Promise<void>((resolve) => {
          const cancel = clock.after(lookMs, resolve);
          this.#wake = () => {
            cancel();
            resolve();
          };
        });
      }
      return await new Promise<never>(() => undefined);
    } finally {
      cancelChange();
    }
  }

  async #carryOut(decision: BootstrapDecision): Promise<{ readonly voters: readonly Voter[] | undefined } | undefined> {
    if (decision.kind === 'begin') {
      const askedAtMs = this.#parts.clock.monotonicMs();
      if (!(await this.#allConsent(decision.voters))) return undefined;
      // Consents expire: one that took too long to gather is no longer worth anything.
      if (this.#parts.clock.monotonicMs() - askedAtMs > consentMs / 2) return undefined;
      this.#parts.info('beginning a new cluster', { servers: decision.voters.map(({ address }) => address).join(',') });
      return { voters: decision.voters };
    }
    if (decision.reason !== this.#saidReason) {
      this.#saidReason = decision.reason;
      this.#parts.info(decision.kind === 'wait' ? 'waiting for a new cluster' : 'joining a cluster', {
        reason: decision.reason,
      });
    }
    return decision.kind === 'join' ? { voters: undefined } : undefined;
  }

  async #askAll(servers: readonly ServerMember[]): Promise<Map<string, boolean>> {
    const answers = new Map<string, boolean>();
    const others = servers.filter(({ id }) => id !== this.#parts.ownId);
    await Promise.all(
      others.map(async (server) => {
        // One that does not answer has said nothing: the decision waits for it.
        const answer = await this.#parts.hasPeers(rpcAddress(server)).catch(() => undefined);
        if (answer !== undefined) answers.set(server.id, answer);
      }),
    );
    return answers;
  }

  async #allConsent(voters: readonly Voter[]): Promise<boolean> {
    const answers = await Promise.all(
      voters.map(({ id, address }) =>
        this.#parts.consent(id === this.#parts.ownId ? undefined : address, voters).catch(() => false),
      ),
    );
    return answers.every(Boolean);
  }
}
