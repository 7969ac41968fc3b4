/**
 * Real servers under faults: starts a cluster, lets clients of every workload ask, puts faults in and takes them out, heals,
 * makes the last reads, checks the histories and writes a report.
 *
 *   npm run jepsen -- --time 60 --nemesis partition,kill
 *   npm run jepsen -- --help
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/std/random.ts';
import { type CheckResult, type Fault, History } from '../history.ts';
import type { NemesisContext } from '../nemeses/nemesis.ts';
import { type Leadership, writeReport } from '../report/report.ts';
import type { Workload, WorkloadContext } from '../workloads/workload.ts';
import { WorkloadClient } from './client.ts';
import { faketimeLibrary, underFaketime } from './clock-skew.ts';
import { ProcessCluster } from './cluster.ts';
import { FaultProxy } from './fault-proxy.ts';
import { TestNetwork } from './network.ts';
import { type Settings, settings } from './settings.ts';
import { Slot } from './slot.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** What a run holds of this machine, given back in the reverse order of its taking, once. */
class Holdings {
  readonly #releases: (() => void)[] = [];

  add(release: () => void): void {
    this.#releases.push(release);
  }

  release(): void {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        release();
      } catch (error) {
        // What is left is cleared by the next run that finds this one dead.
        process.stderr.write(`not cleaned up: ${String(error)}\n`);
      }
    }
  }
}

async function main(): Promise<number> {
  const wanted = settings();
  say(
    `seed ${wanted.seed}: ${wanted.servers} servers, ${wanted.seconds} s, ${wanted.workloads.map(({ name }) => name).join(', ')}`,
  );
  rmSync(wanted.out, { recursive: true, force: true });
  mkdirSync(wanted.out, { recursive: true });
  const holdings = new Holdings();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      say(`interrupted by ${signal}`);
      holdings.release();
      process.exit(code);
    });
  }
  try {
    return await run(wanted, holdings);
  } finally {
    holdings.release();
  }
}

async function run(wanted: Settings, holdings: Holdings): Promise<number> {
  const random = seededRandom(wanted.seed);
  const folder = join(wanted.out, 'servers');
  const slot = Slot.claim(folder);
  holdings.add(() => slot.release());
  const network = await openNetwork(wanted.servers, slot);
  if (network !== undefined) holdings.add(() => network.remove());
  const subnet = slot.subnet(network === undefined ? 'loopback' : 'bridge');
  const proxied = wanted.nemeses.some((nemesis) => nemesis.proxied === true);
  const proxy = proxied ? await openProxy(wanted.servers, subnet, network, random.stream('proxy').next) : undefined;
  if (proxy !== undefined) holdings.add(() => proxy.stop());
  const skewed = wanted.nemeses.some(({ name }) => name === 'clock') && faketimeLibrary() !== undefined;
  const cluster = await ProcessCluster.start(
    {
      size: wanted.servers,
      subnet,
      folder,
      ...(wanted.smallDisks ? { smallDisksMiB: 64 } : {}),
      ...(proxy === undefined ? {} : { advertise: (server) => proxyAddress(subnet, server) }),
      wrap(server, words) {
        const timed = skewed ? underFaketime(folder, server, words) : words;
        return network === undefined ? timed : network.inside(server, timed);
      },
    },
    (started) => holdings.add(() => started.stop()),
  );
  const context = { cluster, network, proxy, chance: random.stream('nemesis').next };
  return drive(wanted, cluster, context, random.stream('clients').next);
}

/** Namespaces, where this machine allows them; without, the nemeses that need them say so. */
async function openNetwork(servers: number, slot: Slot): Promise<TestNetwork | undefined> {
  if (TestNetwork.missing() !== undefined) return undefined;
  let reason = '';
  // The kernel may still be busy with what the last run of that name left.
  for (let tries = 0; tries < 5; tries++) {
    try {
      return TestNetwork.create(servers, slot.subnet('bridge'), slot.networkName);
    } catch (error) {
      reason = String((error as { stderr?: string }).stderr ?? error).trim();
      await delay(1_000);
    }
  }
  say(`no network namespaces here: ${reason}`);
  return undefined;
}

const proxyAddress = (subnet: string, server: number): string => `${subnet}.${101 + server}`;

function openProxy(
  servers: number,
  subnet: string,
  network: TestNetwork | undefined,
  chance: () => number,
): Promise<FaultProxy> {
  const ways = Array.from({ length: servers }, (_, server) => {
    const listen = proxyAddress(subnet, server);
    network?.addHostAddress(listen);
    return { listen, target: `${subnet}.${server + 1}`, tcpPorts: [8300, 8301], udpPorts: [8301] };
  });
  return FaultProxy.start(ways, chance);
}

async function drive(
  wanted: Settings,
  cluster: ProcessCluster,
  context: NemesisContext,
  chance: () => number,
): Promise<number> {
  const faults: Fault[] = [];
  const leaders: Leadership[] = [];
  const skipped: string[] = [];
  const usable = wanted.nemeses.filter((nemesis) => {
    const missing = nemesis.missing?.(context);
    if (missing !== undefined) skipped.push(`${nemesis.name}: ${missing}`);
    return missing === undefined;
  });
  for (const text of skipped) say(`SKIPPED nemesis ${text}`);
  let over = false;
  const runs = wanted.workloads.map((workload) => {
    const history = new History();
    const workloadContext: WorkloadContext = {
      history,
      run: `${wanted.seed}-${workload.name}`,
      clients: workload.clients,
      over: () => over,
      chance,
    };
    const clients = Array.from({ length: workload.clients }, (_, i) => new WorkloadClient(i, cluster, history));
    return { workload, history, context: workloadContext, clients };
  });
  const clock = new History();
  for (const { workload, context: each, clients } of runs) await workload.setup?.(clients[0]!, each);
  const asking = runs.map(({ workload, clients, context: each }) =>
    Promise.all(clients.map((client, i) => workload.client(client, i, each))),
  );
  const watching = watchLeaders(cluster, clock, leaders, () => over);
  await delay(2_000);
  const endMs = clock.nowMs() + wanted.seconds * 1000;
  while (clock.nowMs() < endMs && usable.length > 0) {
    const nemesis = usable[Math.floor(context.chance() * usable.length)]!;
    const startMs = clock.nowMs();
    const { what, heal } = await nemesis.strike(context);
    say(`${(startMs / 1000).toFixed(1).padStart(6)} s  ${nemesis.name}: ${what}`);
    await delay(1_500 + context.chance() * 3_500);
    await heal();
    faults.push({ nemesis: nemesis.name, what, startMs, endMs: clock.nowMs() });
    await delay(1_500 + context.chance() * 2_000);
  }
  if (usable.length === 0) await delay(Math.max(0, endMs - clock.nowMs()));
  for (let server = 0; server < cluster.size; server++) cluster.launch(server);
  await cluster.waitForWrite(60_000);
  over = true;
  await Promise.all([...asking, watching]);
  const results: { workload: Workload; history: History; result: CheckResult }[] = [];
  for (const { workload, history, clients, context: each } of runs) {
    const final = await workload.final?.(clients[0]!, each);
    results.push({ workload, history, result: workload.check(history, final, each) });
  }
  cluster.complainOfCrashes();
  return report(wanted, cluster, { results, faults, leaders, skipped });
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

interface Findings {
  readonly results: readonly { workload: Workload; history: History; result: CheckResult }[];
  readonly faults: readonly Fault[];
  readonly leaders: readonly Leadership[];
  /** Nemeses that could not run, and why. */
  readonly skipped: readonly string[];
}

function report(wanted: Settings, cluster: ProcessCluster, { results, faults, leaders, skipped }: Findings): number {
  say('');
  for (const { workload, history, result } of results) {
    const unknown = history.operations.filter(({ outcome }) => outcome === 'unknown').length;
    say(
      `${result.valid ? 'ok  ' : 'FAIL'}  ${workload.name.padEnd(12)} ${String(history.operations.length).padStart(6)} operations, ${unknown} unknown: ${result.summary}`,
    );
    for (const violation of result.violations.slice(0, 10)) say(`        ${violation}`);
    writeFileSync(join(wanted.out, `${workload.name}.json`), JSON.stringify(history.operations));
  }
  for (const text of skipped) say(`${wanted.allRequired ? 'FAIL' : 'SKIPPED'}  nemesis ${text}`);
  for (const text of cluster.complaints) say(`FAIL  ${text}: see ${cluster.folder}`);
  const idle = results.filter(({ history }) => !history.operations.some(({ outcome }) => outcome === 'ok'));
  for (const { workload } of idle) say(`FAIL  ${workload.name} completed no operation: the run shows nothing`);
  const file = join(wanted.out, 'report.html');
  const { complaints } = cluster;
  const title = `seed ${wanted.seed}`;
  writeReport(file, { title, servers: wanted.servers, results, faults, leaders, skipped, complaints });
  const valid =
    results.every(({ result }) => result.valid) &&
    complaints.length === 0 &&
    idle.length === 0 &&
    (skipped.length === 0 || !wanted.allRequired);
  say(`\n${faults.length} faults. Report: ${file}\nreplay the choices with --seed ${wanted.seed}`);
  return valid ? 0 : 1;
}

// What is still open (a connection to a server that was killed) must not keep the run alive.
process.exit(await main());
