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
  /** Of any server, this one too: whether it agrees to begin with exactly these, and what its log will be called. */
  consent(
    address: string | undefined,
    voters: readonly Voter[],
  ): Promise<{ readonly agrees: boolean; readonly logId: number }>;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A voter of the first configuration, with the name of its log: 0 for the one that begins it. */
export interface Founder extends Voter {
  readonly logId: number;
}

const lookMs = 250;
/** Longer than this nobody is waited for: one that stands still must not keep this server out of a cluster that others know. */
const answerMs = 2_000;

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
  async run(): Promise<readonly Founder[] | undefined> {
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

  async #carryOut(
    decision: BootstrapDecision,
  ): Promise<{ readonly voters: readonly Founder[] | undefined } | undefined> {
    if (decision.kind === 'begin') {
      const askedAtMs = this.#parts.clock.monotonicMs();
      const founders = await this.#allConsent(decision.voters);
      if (founders === undefined) return undefined;
      // Consents expire: one that took too long to gather is no longer worth anything.
      if (this.#parts.clock.monotonicMs() - askedAtMs > consentMs / 2) return undefined;
      this.#parts.info('beginning a new cluster', { servers: decision.voters.map(({ address }) => address).join(',') });
      return { voters: founders };
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
    const { ownId, hasPeers, clock } = this.#parts;
    const answers = new Map<string, boolean>();
    const others = servers.filter(({ id }) => id !== ownId);
    await new Promise<void>((resolve) => {
      const cancel = clock.after(answerMs, resolve);
      const enough = (): void => {
        cancel();
        resolve();
      };
      const asked = others.map(async (server) => {
        // One that does not answer has said nothing: the decision waits for it.
        const answer = await hasPeers(rpcAddress(server)).catch(() => undefined);
        if (answer !== undefined) answers.set(server.id, answer);
        // One that knows a cluster is all that this server needs to hear.
        if (answer === true) enough();
      });
      void Promise.all(asked).then(enough);
    });
    return new Map(answers);
  }

  async #allConsent(voters: readonly Voter[]): Promise<readonly Founder[] | undefined> {
    const { ownId, consent } = this.#parts;
    const answers = await Promise.all(
      voters.map(async (voter): Promise<Founder | undefined> => {
        const isSelf = voter.id === ownId;
        const answer = await consent(isSelf ? undefined : voter.address, voters).catch(() => undefined);
        return answer?.agrees === true ? { ...voter, logId: isSelf ? 0 : answer.logId } : undefined;
      }),
    );
    const founders = answers.filter((founder): founder is Founder => founder !== undefined);
    return founders.length === voters.length ? founders : undefined;
  }
}
