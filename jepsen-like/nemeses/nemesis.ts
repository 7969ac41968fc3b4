/**
 * What a nemesis is: a fault that is put in and taken out. One file each. It proves that it bit, by what is measured while it is
 * in: a fault that is no longer injected must not pass for one that does no harm.
 */
import type { ProcessCluster } from '../real/cluster.ts';
import type { FaultProxy } from '../real/fault-proxy.ts';
import type { MeshHosts } from '../real/hosts.ts';
import type { TestNetwork } from '../real/network.ts';

export interface NemesisContext {
  readonly cluster: ProcessCluster;
  /** Namespaces with a link each; undefined when the servers share the loopback. */
  readonly network: TestNetwork | undefined;
  /** Stands before every server; undefined unless a nemesis of the run needs it. */
  readonly proxy: FaultProxy | undefined;
  /** Hosts with sidecars; undefined unless a workload of the run wants them. */
  readonly hosts: MeshHosts | undefined;
  readonly chance: () => number;
}

export interface Nemesis {
  readonly name: string;
  readonly does: string;
  /** Needs the fault proxy before every server. */
  readonly proxied?: boolean;
  /** It is done to a host that runs sidecars. */
  readonly onHost?: true;
  /** How long it stays in; default 1.5 to 5 s. */
  readonly lastsMs?: { readonly least: number; readonly most: number };
  /** Why it cannot run here, or undefined. */
  missing?(context: NemesisContext): string | undefined;
  /** Puts the fault in. */
  strike(context: NemesisContext): Promise<Strike>;
}

export interface Strike {
  /** What it did, for the report. */
  readonly what: string;
  /** Takes the fault out; returns the proof that it was in, or undefined: it did nothing. */
  heal(): Promise<string | undefined>;
}

/** There was nothing to do it to. */
export const missed = (what: string): Strike => ({ what, heal: () => Promise.resolve(undefined) });

/** It was over when it was told. */
export const done = (what: string, proof: string | undefined): Strike => ({ what, heal: () => Promise.resolve(proof) });

/** One server by chance; `leader` picks the leader half of the time, since that is where most can go wrong. */
export async function victim({ cluster, chance }: NemesisContext): Promise<number> {
  if (chance() < 0.5) {
    const leader = await cluster.leader();
    if (leader !== undefined) return leader;
  }
  return Math.floor(chance() * cluster.size);
}
