/**
 * A death at every point of persistence of a short run:
 *
 *   npm run sim:crash-points -- [--seed N] [--every K] [--at SERVER:NUMBER:KEPT:kill|power]
 */
import { numberIn, readCommandLine } from '../command-line.ts';
import type { CrashPoint } from './crash-points.ts';
import { everyCrashPoint, runOf } from './every-crash-point.ts';
import { report } from './timeline.ts';

const { seed, every, at } = readCommandLine(
  {
    script: 'sim:crash-points',
    about:
      'One short run, and then the same once for each point at which something becomes durable, with a death there.',
    options: {
      seed: { type: 'string', value: 'N', default: '1', help: 'decides the run' },
      every: { type: 'string', value: 'K', default: '1', help: 'only every K-th point' },
      at: {
        type: 'string',
        value: 'SERVER:NUMBER:KEPT:HOW',
        help: 'one death alone, with every event (HOW: kill, power)',
      },
    },
  },
  ({ values }) => ({
    seed: values.seed,
    every: numberIn('--every', values.every, { whole: true }),
    at: values.at === undefined ? undefined : crashPointOf(values.at),
  }),
);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function crashPointOf(text: string): CrashPoint {
  const [server = '', number, kept, how] = text.split(':');
  return {
    server,
    number: numberIn('--at', number ?? ''),
    kept: numberIn('--at', kept ?? ''),
    powerLoss: how === 'power',
  };
}

const nameOf = ({ server, number, kept, powerLoss }: CrashPoint): string =>
  `${server}:${number}:${kept}:${powerLoss ? 'power' : 'kill'}`;

if (at !== undefined) {
  const result = await runOf(seed, at, undefined, print);
  for (const line of report(result)) print(line);
  if (result.violation !== undefined) process.exitCode = 1;
} else {
  const startedMs = performance.now();
  let failures = 0;
  const { points, deaths, kinds } = await everyCrashPoint(seed, {
    every,
    failed: (where, what, result) => {
      failures++;
      for (const line of report(result)) print(line);
      print(`died at ${what}; replay: npm run sim:crash-points -- --seed ${seed} --at ${nameOf(where)}`);
      return failures < 3;
    },
  });
  for (const [what, times] of [...kinds].sort()) print(`  ${what.padEnd(24)} ${String(times).padStart(5)} points`);
  const seconds = (performance.now() - startedMs) / 1_000;
  print(`${deaths} deaths at ${points} points of persistence, ${failures} failed, in ${seconds.toFixed(0)} s`);
  if (failures > 0) process.exitCode = 1;
}
