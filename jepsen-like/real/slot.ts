/**
 * A run's place on this machine: a number that no other run holds. From it come names of namespaces and bridges, and the
 * addresses of the servers, so that runs side by side never meet.
 *
 * Held by a file with the owner's process in it. An owner that is dead (killed with -9, or the machine restarted) left
 * namespaces and mounts: whoever finds its file takes them away and the place over.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './commands.ts';
import { TestNetwork } from './network.ts';

interface Owner {
  readonly pid: number;
  /** A process id comes again; with its start time it does not. */
  readonly started: string;
  /** Below it are the run's mounts. */
  readonly folder: string;
}

const places = 200;

export class Slot {
  readonly number: number;
  readonly #file: string;

  private constructor(number: number, file: string) {
    this.number = number;
    this.#file = file;
  }

  /** Takes the first free place, after clearing what dead runs left. `folder` will hold this run's mounts. */
  static claim(folder: string, root = join(tmpdir(), 'heddle-runs')): Slot {
    mkdirSync(root, { recursive: true });
    for (const name of readdirSync(root)) clearIfDead(root, name);
    const owner: Owner = { pid: process.pid, started: startOf(process.pid) ?? '', folder };
    // Beginning anywhere: two runs that start together rarely try the same, and a place rests before it is taken again.
    const first = Math.floor(Math.random() * places);
    for (let i = 0; i < places; i++) {
      const number = (first + i) % places;
      const file = join(root, `${number}.json`);
      try {
        writeFileSync(file, JSON.stringify(owner), { flag: 'wx' });
        return new Slot(number, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    throw new Error(`all ${places} places for runs are taken: see ${root}`);
  }

  /** Prefix of this run's namespaces and bridge. */
  get networkName(): string {
    return networkName(this.number);
  }

  /** First three numbers of the servers' addresses: on a bridge of their own, or on the loopback. */
  subnet(kind: 'bridge' | 'loopback'): string {
    return kind === 'bridge' ? `10.77.${this.number}` : `127.77.${this.number}`;
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }
}

const networkName = (number: number): string => `hdl${number}`;

function clearIfDead(root: string, name: string): void {
  const number = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(number)) return;
  const file = join(root, name);
  const owner = readOwner(file);
  // One that is just being written is not readable yet.
  if (owner === undefined || startOf(owner.pid) === owner.started) return;
  const taken = `${file}.${process.pid}`;
  try {
    renameSync(file, taken);
  } catch (error) {
    // Another run was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  unmountBelow(owner.folder);
  if (TestNetwork.missing() === undefined) TestNetwork.clear(networkName(number));
  rmSync(taken, { force: true });
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** When a process started, in the kernel's ticks since boot; undefined if there is none. */
function startOf(pid: number): string | undefined {
  try {
    // The program's name, in brackets, may hold anything: fields are counted behind it.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Takes every mount below a folder away, lazily: a process that still holds it may take a moment to end. */
export function unmountBelow(folder: string): void {
  if (folder === '') return;
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const place = line.split(' ')[1];
    if (place?.startsWith(`${folder}/`)) command('umount', '-l', place);
  }
}
