/** The directory in which an agent keeps itself, and the id that it keeps there. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config/index.ts';
import { lockDataDir } from './data-lock.ts';

export interface DataDir {
  readonly path: string;
  /** Gives it back to other agents; removes it if it was made for this run alone. */
  dispose(): void;
}

/**
 * Makes the directory and takes it for this agent; without a path a temporary one that ends with the agent. Throws a
 * ConfigError when it is none, or another agent runs on it.
 */
export function openDataDir(path: string): DataDir {
  if (path === '') {
    const made = mkdtempSync(join(tmpdir(), 'heddle-dev-'));
    return { path: made, dispose: () => rmSync(made, { recursive: true, force: true }) };
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory())
    throw new ConfigError(`data_dir ${JSON.stringify(path)} is not a directory`);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return { path, dispose: lockDataDir(path) };
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id given, else the one kept, else a new one that is kept. */
export function nodeIdOf(given: string, dataDir: string): string {
  if (given !== '') {
    const id = given.toLowerCase();
    if (id.length !== 36) throw invalid('uuid string is wrong length');
    if (!uuid.test(id)) throw invalid('uuid is improperly formatted');
    return id;
  }
  const path = join(dataDir, 'node-id');
  let kept: string | undefined;
  try {
    kept = readFileSync(path, 'utf8').trim().toLowerCase();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (kept !== undefined && uuid.test(kept)) return kept;
  if (kept !== undefined && kept !== '') {
    throw new ConfigError(
      `failed to setup node ID: the node ID in ${path} is invalid: it is left as it is, correct or remove it`,
    );
  }
  const id = randomUUID();
  writeFileSync(`${path}.tmp`, id, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return id;
}

const invalid = (reason: string): ConfigError =>
  new ConfigError(`failed to setup node ID: specified NodeID is invalid: ${reason}`);
