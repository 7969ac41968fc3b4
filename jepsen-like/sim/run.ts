/**
 * The simulation from a command line:
 *
 *   npm run sim -- --seed N [--state heddle] [--ms M] [--trace]     one run, again and again the same
 *   npm run sim -- --minutes M [--from N]          seed after seed for some real minutes
 *   npm run sim -- --seeds COUNT [--from N]
 */
import { numberIn, readCommandLine, UsageError } from '../command-line.ts';
import { Coverage } from './coverage.ts';
import { shrink } from './shrink.ts';
import { type StateKind, stateKinds } from './state.ts';
import { report } from './timeline.ts';
import { type RunResult, World } from './world.ts';

const { seed, state, minutes, count, from, unsafeMs, trace, shrinks } = readCommandLine(
  {
    script: 'sim',
    about:
      'Clusters under faults on a virtual clock. One seed decides everything; a run that fails is shrunk and told.',
    options: {
      seed: { type: 'string', value: 'N', help: 'one run, again and again the same; else seed after seed' },
      state: {
        type: 'string',
        value: 'KIND',
        help: 'registers or heddle: what is replicated (with --seed: registers; else both in turn)',
      },
      trace: { type: 'boolean', default: false, help: 'prints every event' },
      minutes: { type: 'string', value: 'M', help: 'seed after seed for so long (without end)' },
      seeds: { type: 'string', value: 'COUNT', help: 'so many seeds (without end)' },
      from: { type: 'string', value: 'N', help: 'the first seed (the time of day, printed)' },
      ms: { type: 'string', value: 'MS', default: '10000', help: 'virtual milliseconds of faults in a run' },
      'no-shrink': { type: 'boolean', default: false, help: 'a failing run is told as it was' },
    },
  },
  ({ values }) => ({
    seed: values.seed,
    state: values.state === undefined ? undefined : stateKind(values.state),
    minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : numberIn('--minutes', values.minutes),
    count: values.seeds === undefined ? Number.POSITIVE_INFINITY : numberIn('--seeds', values.seeds, { whole: true }),
    from: values.from === undefined ? Date.now() : numberIn('--from', values.from, { whole: true }),
    unsafeMs: numberIn('--ms', values.ms),
    trace: values.trace,
    shrinks: !values['no-shrink'],
  }),
);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function stateKind(text: string): StateKind {
  const kind = stateKinds.find((each) => each === text);
  if (kind === undefined) throw new UsageError(`--state "${text}": want ${stateKinds.join(' or ')}`);
  return kind;
}

/** One run in so many is done twice, and must give the same bytes. */
const twiceEvery = 10;

function one(ofSeed: string, kind: StateKind): Promise<RunResult> {
  return new World({ seed: ofSeed, state: kind, unsafeMs, ...(trace ? { sink: print } : {}) }).run();
}

async function failed(result: RunResult): Promise<void> {
  for (const line of report(result)) print(line);
  if (shrinks) {
    print('shrinking…');
    const small = await shrink(result, unsafeMs);
    print(`smallest: ${small.faults.length} scheduled faults of ${result.faults.length}`);
    for (const line of report(small)) print(line);
  }
  print(`replay: npm run sim -- --seed ${result.seed} --state ${result.state} --ms ${unsafeMs} --trace`);
  process.exitCode = 1;
}

async function explore(): Promise<void> {
  const startedMs = performance.now();
  const endMs = startedMs + minutes * 60_000;
  print(`seeds from ${from}, ${unsafeMs} ms of faults each`);
  const coverage = new Coverage();
  let runs = 0;
  let virtualMs = 0;
  let faults = 0;
  let failures = 0;
  for (let i = 0; i < count && performance.now() < endMs; i++) {
    const number = BigInt(from) + BigInt(i);
    const result = await one(String(number), state ?? (number % 3n === 0n ? 'heddle' : 'registers'));
    runs++;
    virtualMs += result.virtualMs;
    coverage.add(result.marks);
    for (const [name, n] of result.marks) if (name.startsWith('fault: ')) faults += n;
    if (i % twiceEvery === 0 && (await one(result.seed, result.state)).digest !== result.digest) {
      print(`seed ${result.seed} gave another trace the second time`);
      process.exitCode = 1;
      break;
    }
    if (result.violation === undefined) continue;
    failures++;
    await failed(result);
    if (failures >= 3) break;
  }
  const tookMinutes = (performance.now() - startedMs) / 60_000;
  for (const line of coverage.lines()) print(line);
  print(
    `${runs} runs, ${failures} failed; ${(virtualMs / 3_600_000).toFixed(2)} simulated hours and ${faults} faults in ${tookMinutes.toFixed(1)} minutes: ` +
      `${(virtualMs / 3_600_000 / tookMinutes).toFixed(2)} hours and ${(faults / tookMinutes).toFixed(0)} faults a minute`,
  );
  const rare = coverage.notRequired().length;
  if (rare > 0) print(`${rare} marks are too rare to be required of ${runs} runs`);
  // After a failure the campaign stopped early, and has said what is wrong.
  const missed = failures === 0 ? coverage.missed() : [];
  for (const name of missed) print(`NEVER REACHED: ${name}`);
  if (missed.length > 0) process.exitCode = 1;
}

if (seed !== undefined) {
  const result = await one(seed, state ?? 'registers');
  print(`seed ${seed}: ${result.virtualMs.toFixed(0)} virtual ms, ${result.events} events, trace ${result.digest}`);
  if (result.violation !== undefined) await failed(result);
} else await explore();
