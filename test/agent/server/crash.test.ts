/**
 * `kill -9` at random instants loses no acknowledged write and leaves nothing half done.
 *
 * A child process takes writes (crash-child.ts) and is killed after a random number of lines of its output: while it
 * starts, while it writes the log, applies, makes a checkpoint, truncates. The next child opens the same directory and
 * says what it finds. The parent's own record of what was sent and acknowledged is the judge.
 *
 * One time in four the machine lost power as well: the mark says another boot, and the state's file, which was written
 * without fsync, is overwritten with rubbish. The log and a checkpoint must bring it all back.
 *
 * HEDDLE_CRASH_ROUNDS sets how often; HEDDLE_CRASH_SEED repeats the instants of a run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../src/std/random.ts';

const rounds = Number(process.env.HEDDLE_CRASH_ROUNDS ?? 40);
const seed = process.env.HEDDLE_CRASH_SEED ?? String(Date.now());
const clients = 6;
const root = resolve(import.meta.dirname, '../../..');
const script = join(root, '.vitest', `crash-child-${process.pid}.mjs`);
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-crash-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'crash-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  rmSync(script, { force: true });
});

/** By key: the last value that was acknowledged, and the last that was sent. */
interface Book {
  readonly acked: Map<string, number>;
  readonly sent: Map<string, number>;
  /** How the state was opened, and how often. */
  readonly opened: Map<string, number>;
}

it(`${rounds} kills at random instants lose nothing (seed ${seed})`, { timeout: 60_000 + rounds * 5_000 }, async () => {
  const random = seededRandom(seed).stream('kills');
  const book: Book = { acked: new Map(), sent: new Map(), opened: new Map() };
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    acknowledged += await oneLife(book, random, round);
    if (random.chance(1 / 4)) losePower();
  }
  expect(acknowledged).toBeGreaterThan(rounds);
  // With fewer rounds chance may leave one of them out.
  if (rounds >= 40)
    expect([...book.opened.keys()]).toEqual(expect.arrayContaining(['as left', 'rebuilt from checkpoint']));
});

/** What was not fsynced is gone, and the machine has been booted since. */
function losePower(): void {
  const state = join(directory, 'raft/state');
  const path = join(state, 'mark.json');
  if (!existsSync(path)) return;
  const mark = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...mark, bootId: 'an earlier boot' }));
  writeFileSync(join(state, mark.file), 'what a disk holds that was never told to hold it');
}

/** Starts a child, checks what it found, and kills it after a random number of lines. */
async function oneLife(book: Book, random: Random, round: number): Promise<number> {
  // One in eight dies before it has said anything: while it opens log and state.
  const linesLeft = random.chance(1 / 8) ? 0 : random.int(1, 600);
  const child = spawn(process.execPath, [script, directory, String(clients)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  if (linesLeft === 0) setTimeout(() => child.kill('SIGKILL'), random.int(0, 400));
  let lines = 0;
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('found ')) check(book, JSON.parse(line.slice(6)), round);
    else if (line.startsWith('opened ')) book.opened.set(line.slice(7), (book.opened.get(line.slice(7)) ?? 0) + 1);
    else acknowledged += note(book, line);
    if (++lines === linesLeft) child.kill('SIGKILL');
  }
  const signal = await ended(child);
  expect({ round, signal, errors }).toEqual({ round, signal: 'SIGKILL', errors: '' });
  return acknowledged;
}

function note(book: Book, line: string): number {
  const [what, key, value] = line.split(' ') as [string, string, string];
  if (what === 'sent') book.sent.set(key, Number(value));
  else book.acked.set(key, Number(value));
  return what === 'acked' ? 1 : 0;
}

function check(book: Book, found: Readonly<Record<string, string>>, round: number): void {
  for (const [key, sent] of book.sent) {
    const value = Number(found[key] ?? 0);
    const acked = book.acked.get(key) ?? 0;
    expect({ round, key, value, ok: value >= acked && value <= sent }).toEqual({ round, key, value, ok: true });
    const pair = key.endsWith('/a') ? found[key.replace(/a$/, 'b')] : found[key];
    expect({ round, key, pair }).toEqual({ round, key, pair: found[key] });
    // What was found is as good as acknowledged: it must not go back either.
    book.acked.set(key, value);
  }
}

function ended(child: ChildProcess): Promise<string | null> {
  if (child.signalCode !== null || child.exitCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
}
