/**
 * A planted bug: one rule of the core replaced, or one edge wrapped. Production code knows nothing of this: rules and edges are
 * arguments of the real constructor.
 */

import type { StoreOptions } from '../../src/fsm/index.ts';
import type { Rules } from '../../src/raft/core/rules.ts';
import type { Raft, RaftEdges } from '../../src/raft/index.ts';
import type { LogStore } from '../../src/raft/log/store.ts';
import type { SimClock } from '../sim/clock.ts';

/** What a wrapper may ask of the server it runs in. */
export interface MutationHost {
  readonly clock: SimClock;
  later(delayMs: number, callback: () => void): unknown;
  /** Another server that leads. */
  readonly otherLeader: Raft | undefined;
}

export interface Mutation {
  readonly name: string;
  /** The fault catalogue's case, or the paper's section. */
  readonly source: string;
  /**
   * Why it can do no harm here: another rule covers it. The check then is that no seed finds it; one that does disproves this
   * sentence.
   */
  readonly harmless?: string;
  /** It shows only where a server dies at one certain point: `sim/every-crash-point.ts` goes through them, instead of seeds. */
  readonly byCrashPoints?: true;
  readonly rules?: Partial<Rules>;
  readonly store?: (store: LogStore, host: MutationHost) => LogStore;
  /** What clients speak to in place of the node. */
  readonly raft?: (raft: Raft, host: MutationHost) => Raft;
  /** Commands of Heddle's own state machine, which is replicated instead of registers. */
  readonly commands?: (host: MutationHost) => NonNullable<StoreOptions['commands']>;
  readonly edges?: (edges: RaftEdges, host: MutationHost) => RaftEdges;
}
