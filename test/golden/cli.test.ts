/**
 * Replays the recorded command lines against our program and agents of ours, compares standard output, standard error and
 * exit code. The program's name is mapped, what differs from run to run is masked by the recording's own rules. Judged by
 * `differences.json` (`cli/<case>`): a difference that is not in it fails, and so does an entry that no longer differs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Group, isGroup, root } from '../../src/cli/registry.ts';
import { acceptedDifference, differenceKeys, wildcardPattern } from '../support/captures.ts';
import { reference } from '../support/shared.ts';
import { readScript, type Step } from './cli-script.ts';
import { normalised, World } from './cli-world.ts';

const folder = reference('golden/cli');
const script = reference('golden/capture-cli.sh');

/** Commands that come with a later issue: their cases are not run. One that exists must leave this list. */
const commandsToCome: Readonly<Record<string, readonly string[]>> = {
  acl: ['acl-*', 'help-acl*', 'complete-acl'],
  debug: ['debug-*', 'help-debug'],
  exec: ['exec', 'exec-*', 'help-exec'],
  lock: ['lock', 'lock-*', 'help-lock', 'usage-help-dashdash'],
  login: ['login', 'login-*', 'help-login'],
  logout: ['logout', 'logout-*', 'help-logout'],
  tls: ['tls-*', 'help-tls*'],
  watch: ['watch-*', 'help-watch'],
  'connect envoy': ['connect-envoy-*', 'connect-pipe-*', 'help-connect-envoy*'],
  'connect expose': ['connect-expose*', 'help-connect-expose'],
  'connect redirect-traffic': ['connect-redirect-*', 'help-connect-redirect-traffic'],
};

/** Cases that are not a command line's. */
const heldElsewhere: readonly string[] = [
  // test/agent/config/validate-captures.test.ts
  'validate-*',
  // They show an agent and its files, not what a command prints: DebugConfig, the log, the data directory.
  'agent-self-*',
  'agent-merge',
  'agent-loglines',
  'agent-banner',
  'agent-datadir-*',
  // Their certificates are made by `tls`.
  'https-*',
  'unix-socket',
  'keyring-unencrypted',
  // By the time that coordinates are told, another agent has joined: test/api/http/routes/catalog-health.test.ts sorts by them.
  'catalog-nodes-near',
  // Completion in shells.
  'complete-*',
];
const ours = ['validate-noargs', 'agent-nodatadir'];

const isOneOf = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => wildcardPattern(pattern).test(name));
const cases = (folder === null ? [] : readdirSync(folder))
  .map((file) => file.replace(/\.txt$/, ''))
  .filter((name) => !isOneOf(name, Object.values(commandsToCome).flat()))
  .filter((name) => ours.includes(name) || !isOneOf(name, heldElsewhere));
/** They leave nothing behind that another would see: run beside the others. */
const aside = ['help-*', 'rtt*'];
/**
 * They show what agents tell each other (members, the catalog, keys) or what happens within some seconds, and change nothing that another
 * case sees. On a busy machine that may come a moment later: they are run again until they show what was recorded.
 */
const maySettle: readonly string[] = [
  ...['catalog-*', 'datacenter-*', 'stale-flag', 'members*', 'info*', 'rtt*', 'maint-show', 'services-register-show'],
  ...['operator-raft-list*', 'operator-autopilot-state*', 'keyring-list*', 'intention-check-*', 'snapshot-inspect*'],
  ...['connect-proxy-static', 'signal-*', 'agent-logjson', 'agent-pidfile', 'monitor*', 'env-*', 'flag-addr-wins'],
];
/** For all of them together: what is really different must not hold up the rest for long. */
let patienceMs = 60_000;
/** Agents of the recording that no case of ours asks. */
const agentsLeftOut = ['a1', 'h1'];

const got = new Map<string, string>();
const wanted = new Map<string, string>();
/** What the script waited for and did not get. */
const inVain: string[] = [];

describe.skipIf(folder === null || script === null)('recorded command lines', () => {
  let world: World;
  beforeAll(async () => {
    world = new World();
    const recorded = cases.map((name) => [name, readFileSync(join(folder!, `${name}.txt`), 'utf8')] as const);
    for (const [name, text] of normalised(script!, new Map(recorded))) wanted.set(name, text);
    const steps = readScript(script!, world.moved, world.program);
    const isAside = (step: Step): boolean =>
      step.kind === 'case' ? isOneOf(step.name, aside) : step.kind === 'until' && step.condition.includes('coordinate');
    await Promise.all([
      replay(world, steps.filter((step) => !isAside(step))),
      replay(world, steps.filter(isAside)),
    ]);
  }, 240_000);
  afterAll(() => world?.stop());

  it.each(cases)('%s', (name) => {
    if (acceptedDifference(`cli/${name}`) === undefined) expect(got.get(name)).toBe(wanted.get(name));
    else expect(got.has(name)).toBe(true);
  });

  it('gets what it waits for', () => expect(inVain).toEqual([]));

  it('differs in all that is listed as different', () => {
    const different = cases.filter((name) => got.get(name) !== wanted.get(name)).map((name) => `cli/${name}`);
    const listed = differenceKeys().filter((key) => key.startsWith('cli/'));
    expect(listed.filter((key) => !different.some((name) => wildcardPattern(key).test(name)))).toEqual([]);
  });
});

it('lists a command as one to come only while there is none', () => {
  const exists = (words: readonly string[]): boolean => {
    let group: Group = root;
    for (const word of words) {
      const entry = group.commands[word];
      if (entry === undefined) return false;
      if (!isGroup(entry)) return true;
      group = entry;
    }
    return true;
  };
  expect(Object.keys(commandsToCome).filter((words) => exists(words.split(' ')))).toEqual([]);
});

async function replay(world: World, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'case') {
      // The leader enters a new server in the catalog first; what the server itself adds comes with its next sync.
      const known = `! curl -s http://${world.moved.network}1:8500/v1/catalog/nodes | grep -q '"TaggedAddresses":null'`;
      if (step.name.startsWith('catalog-nodes') && !(await world.until(known))) inVain.push(known);
      if (cases.includes(step.name)) got.set(step.name, await outputOf(world, step));
    } else if (step.kind === 'agent') {
      if (!agentsLeftOut.includes(step.name)) world.startAgent(step);
    } else if (step.kind === 'kill') world.killAgent(step.name);
    else if (isAwaited(world, step.condition) && !(await world.until(step.condition))) inVain.push(step.condition);
  }
}

/** What a case prints, what differs from run to run masked; one that may settle has a while to print what was recorded. */
async function outputOf(world: World, step: Step & { kind: 'case' }): Promise<string> {
  const settles = isOneOf(step.name, maySettle) && acceptedDifference(`cli/${step.name}`) === undefined;
  for (;;) {
    const startMs = performance.now();
    const printed = new Map([[step.name, await world.runCase(step)]]);
    const text = normalised(script!, printed).get(step.name)!;
    if (text === wanted.get(step.name) || !settles || patienceMs <= 0) return text;
    patienceMs -= performance.now() - startMs;
  }
}

/** What an agent that is left out would have shown is not waited for. */
function isAwaited(world: World, condition: string): boolean {
  const { network } = world.moved;
  return ![`${network}4:`, `${network}7:`].some((address) => condition.includes(address));
}
