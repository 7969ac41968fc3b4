/**
 * The files of a state, and the rule of when to trust them after a restart (design, decision 3).
 *
 *     mark.json            which rows file is the state, and under which boot of the machine it was last open
 *     rows-<n>.mdb         the state; written without fsync
 *     checkpoints/         compacted, fsynced copies (checkpoint-files.ts)
 *
 * A killed process loses nothing: its pages are the kernel's. A machine that lost power may have lost any of them, so a
 * rows file is trusted only if the machine has not been booted since it was opened, or if it was closed in good order.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Mark {
  /** Name of the rows file in the directory. */
  readonly file: string;
  readonly bootId: string;
  /** Closed in good order, everything on the disk. */
  readonly clean: boolean;
}

/** The kernel's id of the running boot; '' where there is none: then only a clean mark is trusted. */
export function currentBootId(): string {
  const path = '/proc/sys/kernel/random/boot_id';
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

export function readMark(directory: string): Mark | undefined {
  const path = join(directory, 'mark.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Mark) : undefined;
}

export function writeMark(directory: string, mark: Mark): void {
  writeDurably(join(directory, 'mark.json'), `${JSON.stringify(mark)}\n`);
}

export async function writeMarkInBackground(directory: string, mark: Mark): Promise<void> {
  await writeDurablyInBackground(join(directory, 'mark.json'), `${JSON.stringify(mark)}\n`);
}

export function isTrusted(mark: Mark, bootId: string): boolean {
  return mark.clean || (mark.bootId !== '' && mark.bootId === bootId);
}

/** Writes a small file whole or not at all: beside, fsync, rename, fsync of the directory. */
function writeDurably(path: string, text: string): void {
  const beside = `${path}.tmp`;
  const file = openSync(beside, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  syncDirectory(dirname(path));
}

/** Makes names in a directory durable: what was created, renamed or removed in it. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** As `writeDurably`, beside what the event loop does: for a server that is serving. */
export async function writeDurablyInBackground(path: string, text: string): Promise<void> {
  const beside = `${path}.tmp`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncDirectoryInBackground(dirname(path));
}

export async function syncDirectoryInBackground(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function ensureDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** The name after `rows-<n>.mdb`. */
export function nextRowsFile(current: string | undefined): string {
  const number = /^rows-(\d+)\.mdb$/.exec(current ?? '')?.[1];
  return `rows-${Number(number ?? 0) + 1}.mdb`;
}
