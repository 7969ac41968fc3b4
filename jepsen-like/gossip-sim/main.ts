/**
 * `npm run sim:gossip -- --members 1000 --seed 7`: the scenarios in a pool of that size, one after the other in one world, or
 * with `--apart` each in a world and a process of its own, whose memory goes with it. `--lifeguard`: the experiment of the
 * Lifeguard paper, with and without its extensions. `--only crash,join` picks scenarios. Prints seed and command first; the
 * same command gives the same run, down to the digest at the end. What a long run is at goes to stderr.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GossipConfig } from '../../src/gossip/config.ts';
import { numberIn, readCommandLine, UsageError } from '../command-line.ts';
import type { Layer } from './core.ts';
import { expectations } from './published.ts';
import { type Outcome, type Scenario, scenarios, scenariosOf, slowMembers } from './scenarios.ts';
import { World } from './world.ts';

/** Above this the Serf layer's records no longer fit the memory of a usual machine. */
const serfMembersMax = 1_500;

/** SWIM with suspicion, as it was before Lifeguard: no health score, no nacks, a fixed suspicion time. */
const plainSwim: Partial<GossipConfig> = {
  awarenessMaxMultiplier: 1,
  suspicionMaxTimeoutMult: 1,
  lateTimerMs: 3_600_000,
};

interface Options {
  readonly seed: string;
  readonly members: number;
  readonly layer: Layer;
  readonly only: string | undefined;
  readonly lifeguard: boolean;
  readonly apart: boolean;
}

const progressMs = 15_000;

const options = (): Options =>
  readCommandLine(
    {
      script: 'sim:gossip',
      about: 'A pool of simulated members: joins, crashes, partitions, slow members, beside the published figures.',
      options: {
        members: { type: 'string', value: 'N', default: '100', help: '3 or more' },
        seed: { type: 'string', value: 'TEXT', help: 'decides everything (drawn, and printed)' },
        layer: { type: 'string', value: 'LAYER', help: `serf, or swim alone (serf up to ${serfMembersMax} members)` },
        only: { type: 'string', value: 'A,B', help: scenarios.map(({ name }) => name).join(', ') },
        apart: { type: 'boolean', default: false, help: 'each scenario in a pool and a process of its own' },
        lifeguard: { type: 'boolean', default: false, help: "the Lifeguard paper's experiment instead" },
      },
    },
    ({ values }) => {
      const members = numberIn('--members', values.members, { least: 3, whole: true });
      const layer = values.layer ?? (members > serfMembersMax ? 'swim' : 'serf');
      if (layer !== 'swim' && layer !== 'serf') throw new UsageError(`--layer "${layer}": want swim or serf`);
      const { only, lifeguard, apart } = values;
      const unknown = only?.split(',').find((name) => !scenariosOf(layer).some((scenario) => scenario.name === name));
      if (unknown !== undefined) throw new UsageError(`--only: there is no scenario "${unknown}" (layer ${layer})`);
      const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
      return { seed, members, layer, only, lifeguard, apart };
    },
  );

function flagsOf({ seed, members, layer, only, lifeguard, apart }: Options): string[] {
  const flags = ['--seed', seed, '--members', String(members), '--layer', layer];
  if (only !== undefined) flags.push('--only', only);
  if (lifeguard) flags.push('--lifeguard');
  if (apart) flags.push('--apart');
  return flags;
}

const replayCommand = (options: Options): string => `npm run sim:gossip -- ${flagsOf(options).join(' ')}`;

const chosenOf = ({ layer, only }: Options): readonly Scenario[] =>
  scenariosOf(layer).filter(({ name }) => only === undefined || only.split(',').includes(name));

const megabytes = (): number => Math.round(process.memoryUsage().rss / 1024 / 1024);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function show({ scenario, ok, numbers }: Outcome, world: World, tookMs: number): void {
  const facts = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  say(`${ok ? 'ok  ' : 'FAIL'} ${scenario.padEnd(10)} ${facts.join(', ')}`);
  say(`     at ${(world.nowMs / 1000).toFixed(1)} s, ${world.events} events, took ${(tookMs / 1000).toFixed(1)} s`);
}

function runScenario(world: World, scenario: Scenario): boolean {
  const started = performance.now();
  let told = started;
  world.onProgress(() => {
    const now = performance.now();
    if (now - told < progressMs) return;
    told = now;
    const seconds = Math.round((now - started) / 1000);
    const at = (world.nowMs / 1000).toFixed(1);
    process.stderr.write(
      `     … ${scenario.name}: at ${at} s, ${world.events} events, ${seconds} s so far, ${megabytes()} MB\n`,
    );
  });
  const outcome = { scenario: scenario.name, ...scenario.run(world) };
  show(outcome, world, performance.now() - started);
  return outcome.ok;
}

function runAll(chosen: Options): boolean {
  const { seed, members, layer } = chosen;
  const world = new World({ seed, members, layer });
  say('published figures for this size:');
  for (const { what, value, source } of expectations(world.config, members))
    say(`     ${what}: ${value}   [${source}]`);
  let ok = true;
  for (const scenario of chosenOf(chosen)) {
    say(`---- ${scenario.name}: ${scenario.story}`);
    ok = runScenario(world, scenario) && ok;
  }
  say(`digest ${world.digest.toString(16)}`);
  return ok;
}

/** Each scenario by this same program, one after the other. All are run, also when one fails. */
function runApart(chosen: Options): boolean {
  let ok = true;
  for (const { name } of chosenOf(chosen)) {
    const flags = flagsOf({ ...chosen, only: name, apart: false });
    const program = [...process.execArgv, fileURLToPath(import.meta.url), ...flags];
    const { status, error } = spawnSync(process.execPath, program, { stdio: 'inherit' });
    if (error !== undefined) throw error;
    ok &&= status === 0;
  }
  return ok;
}

/** Lifeguard §V: 128 members, some of which do not handle messages for a time; the share of false positives left. */
function runLifeguard({ seed, members, layer }: Options): boolean {
  let ok = true;
  const table: string[] = [];
  for (const slow of [4, 8, 16]) {
    const counts: number[] = [];
    for (const [name, config] of [['SWIM', plainSwim] as const, ['Lifeguard', {}] as const]) {
      // The paper's α = 5; it leaves β, which only Lifeguard has, at 6.
      const world = new World({ seed, members, layer, config: { suspicionMult: 5, ...config } });
      const scenario = slowMembers(slow, 8_192, 256, 120_000);
      say(`---- ${name}, ${scenario.story}`);
      const { numbers, ok: held } = scenario.run(world);
      say(
        `     ${Object.entries(numbers)
          .map(([key, value]) => `${key} ${value}`)
          .join(', ')}`,
      );
      counts.push(Number(numbers.falsePositives), Number(numbers.observations), Number(numbers.betweenHealthy));
      ok &&= held;
    }
    const ratio = (with_: number, without: number): string =>
      without === 0 ? '-' : `${((100 * with_) / without).toFixed(1)}%`;
    table.push(
      `${String(slow).padStart(4)} slow: false positives with Lifeguard, of SWIM's: episodes ${ratio(counts[3]!, counts[0]!)}, ` +
        `observations ${ratio(counts[4]!, counts[1]!)}, between healthy members ${ratio(counts[5]!, counts[2]!)}`,
    );
  }
  say(
    '---- published (Lifeguard, arXiv 1707.00788, abstract and §V): the extensions "drastically" reduce false positives;',
  );
  for (const line of table) say(line);
  return ok;
}

const chosen = options();
say(`gossip simulation: ${replayCommand(chosen)}`);
const started = performance.now();
const ok = chosen.lifeguard ? runLifeguard(chosen) : chosen.apart ? runApart(chosen) : runAll(chosen);
const took = `${((performance.now() - started) / 1000).toFixed(1)} s${chosen.apart ? '' : `, ${megabytes()} MB`}`;
say(`${ok ? 'ok' : `FAILED; replay with: ${replayCommand(chosen)}`}, ${took}`);
process.exitCode = ok ? 0 : 1;
