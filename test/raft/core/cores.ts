/** A few cores and nothing else: messages are delivered by hand or all at once, persists finish when told, time is a number. */
import { resolveSettings } from '../../../src/raft/config.ts';
import { RaftCore } from '../../../src/raft/core/core.ts';
import type { Message, MessageOf } from '../../../src/raft/core/messages.ts';
import { rules } from '../../../src/raft/core/rules.ts';
import type { Entry, HardState } from '../../../src/raft/core/types.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { configurationOf } from '../support/cluster.ts';

export interface CoreSetup {
  readonly hardState?: HardState;
  /** Terms of the entries after the first (the configuration, term 1). */
  readonly terms?: readonly number[];
}

export class Cores {
  readonly cores = new Map<string, RaftCore>();
  /** Sent and not delivered. */
  wire: Message[] = [];
  /** False: persists stay open until `persist`. */
  diskIsFast = true;
  nowMs = 10_000;
  readonly #open = new Map<string, number>();

  constructor(ids: readonly string[], setup: Readonly<Record<string, CoreSetup>> = {}) {
    for (const id of ids) {
      const { hardState, terms = [] } = setup[id] ?? {};
      const boundaries = [1, ...terms].flatMap((term, i, all) =>
        i === 0 || all[i - 1] !== term ? [{ index: i + 1, term }] : [],
      );
      const core = new RaftCore({
        ...{ id, settings: resolveSettings(), rules, random: seededRandom(id), appliedIndex: 0, nowMs: 0 },
        recovered: {
          hardState: hardState ?? { term: Math.max(1, ...terms), votedFor: '' },
          prefix: { index: 0, term: 0 },
          lastIndex: 1 + terms.length,
          termBoundaries: boundaries,
          base: { index: 0, configuration: configurationOf() },
          configurations: [{ index: 1, configuration: configurationOf(...ids) }],
        },
      });
      this.cores.set(id, core);
    }
  }

  get(id: string): RaftCore {
    return this.cores.get(id)!;
  }

  /** One input, and what it sends (now, or once its disk has it). */
  do(id: string, input: (core: RaftCore) => void): Message[] {
    input(this.get(id));
    return this.#drain(id);
  }

  /** The disk of `id` catches up. */
  persist(id: string): Message[] {
    this.get(id).persisted(this.#open.get(id) ?? 0, this.nowMs);
    return this.#drain(id);
  }

  tickUntil(id: string, done: (core: RaftCore) => boolean): void {
    for (let i = 0; i < 200 && !done(this.get(id)); i++) {
      this.nowMs += 10;
      this.do(id, (core) => core.tick(this.nowMs));
    }
  }

  /** Delivers until nobody has anything to say, except what `lost` names. */
  deliver(lost: (message: Message) => boolean = () => false): void {
    while (this.wire.length > 0) {
      const message = this.wire.shift()!;
      if (lost(message) || !this.cores.has(message.to)) continue;
      this.do(message.to, (core) => core.step(message, this.nowMs));
    }
  }

  elect(id: string): void {
    this.tickUntil(id, ({ state }) => state.role === 'preCandidate');
    this.deliver();
  }

  propose(id: string, text: string): void {
    this.do(id, (core) => core.propose([new TextEncoder().encode(text)], this.nowMs));
  }

  #drain(id: string): Message[] {
    const sent: Message[] = [];
    for (;;) {
      const { persist, send } = this.get(id).drain();
      sent.push(...send);
      if (persist !== undefined) this.#open.set(id, persist.number);
      if (persist === undefined || !this.diskIsFast) break;
      this.get(id).persisted(persist.number, this.nowMs);
    }
    this.wire.push(...sent);
    return sent;
  }
}

export const append = (from: string, to: string, change: Partial<MessageOf<'append'>>): Message => ({
  ...{ kind: 'append', from, to, term: 2, prevIndex: 1, prevTerm: 1, entries: [], commitIndex: 0, sentMs: 0 },
  ...change,
});

export const vote = (from: string, to: string, change: Partial<MessageOf<'voteRequest'>> = {}): Message => ({
  ...{ kind: 'voteRequest', from, to, term: 2, lastIndex: 1, lastTerm: 1, transfer: false },
  ...change,
});

export const noop = (index: number, term: number): Entry => ({ kind: 'noop', index, term });
