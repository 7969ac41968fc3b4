/** What a workload is: clients that ask, and a checker over their history. One file each. */
import type { CheckResult, Fault, History } from '../history.ts';
import type { WorkloadClient } from '../real/client.ts';
import type { MeshHosts } from '../real/hosts.ts';

export interface WorkloadContext {
  readonly history: History;
  /** Distinguishes this run's keys from those of other runs on the same data. */
  readonly run: string;
  /** How many clients this workload has. */
  readonly clients: number;
  /** True once clients must end. */
  readonly over: () => boolean;
  /** A number in [0, 1) from the run's seed. */
  readonly chance: () => number;
  /** Hosts with sidecars, for a workload that wants them. */
  readonly hosts?: MeshHosts | undefined;
  /** What was done to servers and hosts; complete once clients have ended. */
  readonly faults: readonly Fault[];
}

export interface Workload {
  readonly name: string;
  /** What must always be true, for the table in the README. */
  readonly promise: string;
  readonly clients: number;
  /** Operations of which each must have ended well at least once, or the run shows nothing. */
  readonly acknowledges: readonly string[];
  /** It needs hosts with sidecars beside the servers. */
  readonly hosts?: true;
  /** It does to the servers what no other workload could bear: `all` is without it. */
  readonly alone?: true;
  setup?(client: WorkloadClient, context: WorkloadContext): Promise<void>;
  /** One client's life, until `over`. */
  client(client: WorkloadClient, index: number, context: WorkloadContext): Promise<void>;
  /** After healing: final reads, whose result the checker gets. */
  final?(client: WorkloadClient, context: WorkloadContext): Promise<unknown>;
  check(history: History, final: unknown, context: WorkloadContext): CheckResult;
}

export function verdictOf(violations: readonly string[], summary: string): CheckResult {
  return {
    valid: violations.length === 0,
    summary: violations.length === 0 ? summary : `${violations.length} violations: ${violations[0]}`,
    violations,
  };
}

/** A short pause between operations, so that faults meet idle and busy moments. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
