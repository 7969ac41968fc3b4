/** What a nemesis is: a fault that is put in and taken out. One file each. */
import type { ProcessCluster } from '../real/cluster.ts';
import type { FaultProxy } from '../real/fault-proxy.ts';
import type { TestNetwork } from '../real/network.ts';

export interface NemesisContext {
  readonly cluster: ProcessCluster;
  /** Namespaces with a link each; undefined when the servers share the loopback. */
  readonly network: TestNetwork | undefined;
  /** Stands before every server; undefined unless a nemesis of the run needs it. */
  readonly proxy: FaultProxy | undefined;
  readonly chance: () => number;
}

export interface Nemesis {
  readonly name: string;
  readonly does: string;
  /** Needs the fault proxy before every server. */
  readonly proxied?: boolean;
  /** Why it cannot run here, or undefined. */
  missing?(context: NemesisContext): string | undefined;
  /** Puts the fault in; returns what it did, for the report, and how to take it out. */
  strike(context: NemesisContext): Promise<{ readonly what: string; heal(): Promise<void> }>;
}

/** One server by chance; `leader` picks the leader half of the time, since that is where most can go wrong. */
export async function victim({ cluster, chance }: NemesisContext): Promise<number> {
  if (chance() < 0.5) {
    const leader = await cluster.leader();
    if (leader !== undefined) return leader;
  }
  return Math.floor(chance() * cluster.size);
}
