/** What a run with real servers is asked for on its command line (`npm run jepsen -- --help`). */
import { resolve } from 'node:path';
import { numberIn, readCommandLine, UsageError } from '../command-line.ts';
import { fullDisk } from '../nemeses/full-disk.ts';
import { nemeses } from '../nemeses/index.ts';
import type { Nemesis } from '../nemeses/nemesis.ts';
import { workloads } from '../workloads/index.ts';
import type { Workload } from '../workloads/workload.ts';

export interface Settings {
  readonly seconds: number;
  readonly servers: number;
  readonly nemeses: readonly Nemesis[];
  readonly workloads: readonly Workload[];
  readonly seed: string;
  readonly smallDisks: boolean;
  /** A nemesis whose tool is missing, or that was never put in or never bit, is a failure, and not only told. */
  readonly allRequired: boolean;
  readonly out: string;
  /** A fault of ours, that the run must find. */
  readonly planted: Planted | undefined;
}

const plants = ['deaf-sidecar'] as const;
type Planted = (typeof plants)[number];

/** The things of these names: `all`, `none`, or a list with commas. */
function pick<T>(what: string, known: Readonly<Record<string, T>>, text: string): T[] {
  const names = text === 'all' ? Object.keys(known) : text === 'none' ? [] : text.split(',');
  return names.map((name) => {
    const found = known[name];
    if (found === undefined) throw new UsageError(`--${what}: there is no "${name}"`);
    return found;
  });
}

/** The workloads of these names; `all` is without those that run alone. */
function pickWorkloads(text: string): Workload[] {
  const picked = pick('workload', workloads, text);
  const chosen = text === 'all' ? picked.filter(({ alone }) => alone === undefined) : picked;
  const alone = chosen.find((workload) => workload.alone);
  if (alone !== undefined && chosen.length > 1) throw new UsageError(`--workload: "${alone.name}" runs alone`);
  return chosen;
}

function planted(name: string | undefined): Planted | undefined {
  const found = plants.find((each) => each === name);
  if (name !== undefined && found === undefined) throw new UsageError(`--plant: there is no "${name}"`);
  return found;
}

export const settings = (): Settings =>
  readCommandLine(
    {
      script: 'jepsen',
      about: 'Real servers under faults: histories are checked, and a report tells the run.',
      options: {
        time: { type: 'string', value: 'SECONDS', default: '60', help: 'how long clients ask' },
        servers: { type: 'string', value: 'N', default: '3', help: '1, 3, 5 or 7' },
        nemesis: {
          type: 'string',
          value: 'A,B',
          default: 'partition,kill',
          help: `faults to put in: ${Object.keys(nemeses).join(', ')}; all, none`,
        },
        workload: {
          type: 'string',
          value: 'A,B',
          default: 'all',
          help: `${Object.keys(workloads).join(', ')}; all, without those that run alone (restore)`,
        },
        seed: { type: 'string', value: 'TEXT', help: "decides the order of faults and the clients' choices (printed)" },
        require: {
          type: 'boolean',
          default: false,
          help: 'a nemesis that cannot run here, or was never seen to bite, is a failure (so too where the variable CI is set)',
        },
        'small-disks': {
          type: 'boolean',
          default: false,
          help: "each server's data on a small disk of its own, for full-disk (root)",
        },
        plant: { type: 'string', value: 'FAULT', help: `a fault that the run must find: ${plants.join(', ')}` },
        out: {
          type: 'string',
          value: 'FOLDER',
          default: 'jepsen-like/out',
          help: 'where history, logs and report.html go',
        },
      },
    },
    ({ values }) => {
      const servers = numberIn('--servers', values.servers);
      if (![1, 3, 5, 7].includes(servers)) throw new UsageError(`--servers "${values.servers}": want 1, 3, 5 or 7`);
      const chosen = pick('nemesis', nemeses, values.nemesis);
      return {
        seconds: numberIn('--time', values.time),
        servers,
        nemeses: chosen,
        workloads: pickWorkloads(values.workload),
        seed: values.seed ?? String(process.hrtime.bigint() % 1_000_000n),
        // A full disk needs a small one, which only root can make.
        smallDisks: values['small-disks'] || (chosen.includes(fullDisk) && process.getuid?.() === 0),
        allRequired: values.require || !['', '0', 'false'].includes(process.env.CI ?? ''),
        out: resolve(values.out),
        planted: planted(values.plant),
      };
    },
  );
