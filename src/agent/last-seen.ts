/**
 * When a server last ran, kept in its data directory. One that was away for longer than its operators allow does not start: much may have
 * been decided without it (who belongs to the cluster, who may still be trusted), and the rest may long have replaced it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../std/clock.ts';
import { formatDuration, second } from '../std/duration.ts';
import { ConfigError } from './config/index.ts';

/** Name and content are those of the reference. */
const fileName = 'server_metadata.json';
const keepMs = 3_600_000;

/** Throws a ConfigError when the server that had this directory was last seen too long ago. `mostNs` as it is configured. */
export function refuseLongAway(dataDir: string, mostNs: number, nowMs: number): void {
  const path = join(dataDir, fileName);
  const seenSeconds = lastSeen(path);
  if (seenSeconds === undefined) return;
  const awaySeconds = Math.floor(nowMs / 1000) - seenSeconds;
  if (awaySeconds * second <= mostNs) return;
  throw new ConfigError(
    `this server has been away for ${formatDuration(awaySeconds * second)}, longer than server_rejoin_age_max (${formatDuration(mostNs)}) allows: it does not join again with its old data. Wipe ${dataDir}, and it comes back as a new server; or remove ${path} if nobody has taken its place`,
  );
}

/** Writes that it is here, now, each hour and at its end. Returns how to stop. */
export function keepLastSeen(dataDir: string, clock: Clock, failed: (error: unknown) => void): () => void {
  let cancel = (): void => undefined;
  const write = (): void => {
    try {
      writeLastSeen(join(dataDir, fileName), clock.wallMs());
    } catch (error) {
      failed(error);
    }
  };
  const keep = (): void => {
    write();
    cancel = clock.after(keepMs, keep);
  };
  keep();
  return () => {
    cancel();
    write();
  };
}

function writeLastSeen(path: string, nowMs: number): void {
  writeFileSync(`${path}.tmp`, JSON.stringify({ last_seen_unix: Math.floor(nowMs / 1000) }), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

/** Seconds since 1970; undefined where no server ever ran. Throws a ConfigError for a file that says something else. */
function lastSeen(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { last_seen_unix: seconds } = JSON.parse(text) as { last_seen_unix?: unknown };
    if (typeof seconds === 'number' && Number.isFinite(seconds)) return seconds;
  } catch {
    // Said below.
  }
  throw new ConfigError(`${path} does not say when this server last ran: remove it if it may join again`);
}
