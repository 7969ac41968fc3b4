/** What the tracers of a cluster's servers noted (`loop-tracer.ts`): how long, at most, each event loop was held. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface LoopBlock {
  readonly atMs: number;
  readonly heldMs: number;
  /** Of it, standing in line for a CPU. */
  readonly waitedMs: number;
}

interface LongestBlock {
  /** The longest time between two turns, ms. */
  readonly wallMs: number;
  /** The longest that the server's own work made, ms: without the time in line for a CPU. */
  readonly ownMs: number;
}

/** Where the servers are to leave CPU profiles; undefined: nowhere. */
export const cpuProfiles = process.env.BENCH_CPU_PROFILE;

const fileOf = (folder: string, server: number): string => join(folder, `loop-${server}.jsonl`);

/** Wraps the command of a server so that its event loop is traced. */
export function traced(folder: string): (server: number, command: readonly string[]) => readonly string[] {
  const tracer = fileURLToPath(new URL('./loop-tracer.js', import.meta.url));
  return (server, [program, ...words]) => [
    'env',
    `HEDDLE_BENCH_LOOP_FILE=${fileOf(folder, server)}`,
    program!,
    ...(cpuProfiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfiles}`, '--cpu-prof-interval=2000']),
    '--import',
    tracer,
    ...words,
  ];
}

function blocksOf(folder: string, server: number): LoopBlock[] {
  if (!existsSync(fileOf(folder, server))) return [];
  const lines = readFileSync(fileOf(folder, server), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LoopBlock);
}

/** The longest of a span of time. */
export function longestBlock(folder: string, server: number, fromMs: number, toMs: number): LongestBlock {
  const inside = blocksOf(folder, server).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  return {
    wallMs: Math.max(0, ...inside.map(({ heldMs }) => heldMs)),
    ownMs: Math.max(0, ...inside.map(({ heldMs, waitedMs }) => heldMs - waitedMs)),
  };
}
