/**
 * Real servers under faults: starts a cluster, lets clients of every workload ask, puts faults in and takes them out, heals,
 * makes the last reads, checks the histories and writes a report.
 *
 *     settings ──> stage: servers, hosts, network, proxy ──> drive: clients and faults ──> verdict, report
 *
 *   npm run jepsen -- --time 60 --nemesis partition,kill
 *   npm run jepsen -- --help
 */
import { mkdirSync, rmSync } from 'node:fs';
import { seededRandom } from '../../src/std/random.ts';
import { drive } from './drive.ts';
import { Holdings } from './holdings.ts';
import { say } from './say.ts';
import { settings } from './settings.ts';
import { setStage } from './stage.ts';
import { conclude } from './verdict.ts';

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
    const random = seededRandom(wanted.seed);
    const stage = await setStage(wanted, random, holdings);
    const findings = await drive(wanted, stage, random.stream('clients').next);
    return conclude(wanted, stage, findings);
  } finally {
    holdings.release();
  }
}

// What is still open (a connection to a server that was killed) must not keep the run alive.
process.exit(await main());
