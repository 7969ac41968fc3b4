/** Clients ask and faults come and go; then all is healed, last reads are made, and every history is checked. */
import { setTimeout as delay } from 'node:timers/promises';
import { type CheckResult, type Fault, History } from '../history.ts';
import type { Nemesis, NemesisContext } from '../nemeses/nemesis.ts';
import type { Workload, WorkloadContext } from '../workloads/workload.ts';
import { befall } from './befall.ts';
import { WorkloadClient } from './client.ts';
import type { ProcessCluster } from './cluster.ts';
import { say } from './say.ts';
import type { Settings } from './settings.ts';

/** Who led from when; undefined while nobody did. */
export interface Leadership {
  readonly leader: number | undefined;
  readonly fromMs: number;
}

export interface Findings {
  readonly results: readonly { readonly workload: Workload; readonly history: History; readonly result: CheckResult }[];
  readonly faults: readonly Fault[];
  readonly leaders: readonly Leadership[];
  /** Nemeses that could not run, and why. */
  readonly skipped: readonly string[];
}

export async function drive(wanted: Settings, stage: NemesisContext, chance: () => number): Promise<Findings> {
  const { cluster, hosts } = stage;
  const skipped: string[] = [];
  const usable = wanted.nemeses.filter((nemesis) => {
    const missing = nemesis.missing?.(stage);
    if (missing !== undefined) skipped.push(`${nemesis.name}: ${missing}`);
    return missing === undefined;
  });
  for (const text of skipped) say(`SKIPPED nemesis ${text}`);
  const startedMs = performance.now();
  const clock = new History(startedMs);
  const faults: Fault[] = [];
  const leaders: Leadership[] = [];
  let over = false;
  const runs = wanted.workloads.map((workload) => {
    const history = new History(startedMs);
    const context: WorkloadContext = {
      ...{ history, chance, hosts, faults },
      run: `${wanted.seed}-${workload.name}`,
      clients: workload.clients,
      over: () => over,
    };
    const clients = Array.from({ length: workload.clients }, (_, i) => new WorkloadClient(i, cluster, history));
    return { workload, history, context, clients };
  });
  for (const { workload, context, clients } of runs) await workload.setup?.(clients[0]!, context);
  const asking = runs.map(({ workload, clients, context }) =>
    Promise.all(clients.map((client, i) => workload.client(client, i, context))),
  );
  const watching = watchLeaders(cluster, clock, leaders, () => over);
  await torment(wanted, usable, stage, clock, faults);
  for (let server = 0; server < cluster.size; server++) cluster.launch(server);
  hosts?.launch();
  await cluster.waitForWrite(60_000).catch((error: unknown) => cluster.complain(`not healed: ${String(error)}`));
  over = true;
  await Promise.all([...asking, watching]);
  const results: Findings['results'][number][] = [];
  for (const { workload, history, clients, context } of runs) {
    results.push({ workload, history, result: await resultOf(workload, clients[0]!, context) });
  }
  return { results, faults, leaders, skipped };
}

/** Without its last reads a workload shows nothing: that they got no answer is told like a broken promise. */
async function resultOf(workload: Workload, client: WorkloadClient, context: WorkloadContext): Promise<CheckResult> {
  try {
    const final = await workload.final?.(client, context);
    return workload.check(context.history, final, context);
  } catch (error) {
    const summary = `the last reads, or the check, failed: ${String(error)}`;
    return { valid: false, summary, violations: [summary] };
  }
}

/** Puts faults in and takes them out until the time is over: every nemesis once before any comes again. */
async function torment(
  wanted: Settings,
  usable: readonly Nemesis[],
  stage: NemesisContext,
  clock: History,
  faults: Fault[],
): Promise<void> {
  const { chance } = stage;
  await delay(2_000);
  const endMs = clock.nowMs() + wanted.seconds * 1000;
  let round: Nemesis[] = [];
  while (clock.nowMs() < endMs && usable.length > 0) {
    if (round.length === 0) round = shuffled(usable, chance);
    const nemesis = round.pop()!;
    faults.push(await befall(nemesis, stage, clock));
    await delay(1_500 + chance() * 2_000);
  }
  if (usable.length === 0) await delay(Math.max(0, endMs - clock.nowMs()));
}

function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(chance() * left.length), 1)[0]!);
}

/** Notes who leads, four times a second, for the timeline. */
async function watchLeaders(
  cluster: ProcessCluster,
  clock: History,
  leaders: Leadership[],
  over: () => boolean,
): Promise<void> {
  while (!over()) {
    const leader = await cluster.leader();
    if (leaders.at(-1)?.leader !== leader) leaders.push({ leader, fromMs: clock.nowMs() });
    await delay(250);
  }
}
