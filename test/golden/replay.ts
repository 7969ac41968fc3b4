/**
 * Replays the recorded exchanges of the reference against agents of ours, by the scripts that recorded them: they hold the
 * lists of requests, keep what later requests need of earlier answers, and know what differs from run to run.
 *
 * Judged by one list, `differences.json`: a difference that is not in it fails, and so does an entry that no longer differs.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptedDifference, comparable, differenceKeys, type Response, wildcardPattern } from '../support/captures.ts';
import { reference } from '../support/shared.ts';

export type Folder = 'discovery' | 'state' | 'mesh';

export interface Difference {
  /** `discovery/basic-001-root-redirect`. */
  readonly name: string;
  /** What was stored and what came. */
  readonly detail: string;
}

export interface Verdict {
  /** Exchanges looked at. */
  readonly exchanges: number;
  readonly unexpected: readonly Difference[];
  /** Entries of the list that nothing differs by any more. */
  readonly outdated: readonly string[];
}

/** The agents that a list expects, the first one to be asked; addresses as the reference had them. */
export async function configurationsOf(folder: Exclude<Folder, 'mesh'>, list: string): Promise<object[]> {
  const { output } = await run([scriptOf(folder), '--config', list]);
  const parsed = JSON.parse(output) as object | object[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

/** The lists that a recording has, by the names of its files (`basic-001-root-redirect.json`). */
export function listsOf(folder: Folder): string[] {
  const names = readdirSync(folderOf(folder)).flatMap((file) => /^(.+?)-\d{3}-.*\.json$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** The lists that `differences.json` accepts as a whole (`mesh/acl-*`): they are not replayed. */
export function listsOfLater(folder: Folder): string[] {
  return listsOf(folder).filter((list) => differenceKeys().includes(`${folder}/${list}-*`));
}

/** Asks the agent at `base` everything in a list and judges what it answered. Takes as long as the list takes. */
export async function replay(
  folder: Folder,
  list: string,
  base: string,
  listed: readonly string[] = differenceKeys(),
): Promise<Verdict> {
  const { exchanges, differences } =
    folder === 'mesh' ? await record(list, base) : await compare(folder, list, base);
  const unexpected = differences.filter(({ name }) => acceptedDifference(name) === undefined);
  const names = differences.map(({ name }) => name);
  const outdated = listed
    .filter((key) => ofList(key, folder, list))
    .filter((key) => !names.some((name) => wildcardPattern(key).test(name)));
  return { exchanges, unexpected, outdated };
}

/** Whether an entry of differences.json is about this list; the number of a step, or a `*`, follows its name. */
function ofList(key: string, folder: Folder, list: string): boolean {
  return new RegExp(`^${folder}/${list}-(\\d|\\*)`).test(key);
}

interface Outcome {
  readonly exchanges: number;
  readonly differences: readonly Difference[];
}

async function compare(folder: Exclude<Folder, 'mesh'>, list: string, base: string): Promise<Outcome> {
  const { output } = await run([scriptOf(folder), '--list', list, '--base', base, '--compare', folderOf(folder)]);
  const exchanges = /(\d+) equal, (\d+) different of (\d+)/.exec(output);
  if (exchanges === null) throw new Error(`the replay of ${list} did not end:\n${output.slice(-2000)}`);
  return { exchanges: Number(exchanges[3]), differences: blocksOf(output).map((block) => named(folder, block)) };
}

/** `DIFF id …` and the indented lines below it. */
function blocksOf(output: string): string[] {
  return output
    .split(/^(?=DIFF |NO GOLDEN )/m)
    .filter((block) => /^(DIFF|NO GOLDEN) /.test(block))
    .map((block) => block.trimEnd());
}

function named(folder: Folder, block: string): Difference {
  const id = /^(?:DIFF|NO GOLDEN) (\S+)/.exec(block)![1]!;
  return { name: `${folder}/${id}`, detail: block };
}

/** The script of the mesh compares addresses as they are: here its answers are stored, and compared without them. */
async function record(list: string, base: string): Promise<Outcome> {
  const stored = mkdtempSync(join(tmpdir(), 'heddle-replay-'));
  try {
    await run([scriptOf('mesh'), '--list', list, '--base', base, '--out', stored]);
    const files = readdirSync(stored).sort();
    const differences = files.flatMap((file) => {
      const name = `mesh/${file.replace(/\.json$/, '')}`;
      const [wanted, got] = [folderOf('mesh'), stored].map((folder) => withoutAddresses(responseIn(join(folder, file))));
      return wanted === got ? [] : [{ name, detail: `${name}\n  want ${wanted}\n  got  ${got}` }];
    });
    return { exchanges: files.length, differences };
  } finally {
    rmSync(stored, { recursive: true });
  }
}

function responseIn(file: string): Response {
  return (JSON.parse(readFileSync(file, 'utf8')) as { response: Response }).response;
}

/** Hashes of content that holds an address are as little of a fact as the address. */
function withoutAddresses(response: Response): string {
  return comparable(response)
    .replace(/127\.0\.\d+\.\d+/g, '<IP>')
    .replace(/"ContentHash":"[0-9a-f]+"/g, '"ContentHash":"<HASH>"');
}

function scriptOf(folder: Folder): string {
  return reference(`golden/capture-${folder}.mjs`)!;
}
function folderOf(folder: Folder): string {
  return reference(`golden/${folder}`)!;
}

function run(args: readonly string[]): Promise<{ output: string }> {
  const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'inherit'] };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, options);
    let output = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', () => resolve({ output }));
  });
}
