// A server that was away for too long does not come back with its old data; on a manual clock, and by a real agent.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent } from '../../src/agent/index.ts';
import { keepLastSeen, refuseLongAway } from '../../src/agent/last-seen.ts';
import { hour } from '../../src/std/duration.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const hourMs = 3_600_000;
const most = 168 * hour;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-last-seen-'));
  file = join(folder, 'server_metadata.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failed = (error: unknown): void => {
  throw error;
};
const seenSeconds = (): number => (JSON.parse(readFileSync(file, 'utf8')) as { last_seen_unix: number }).last_seen_unix;

describe('when it last ran', () => {
  it('is written at its start, each hour and at its end, for its owner alone', () => {
    const clock = new VirtualClock();
    const seconds = (): number => Math.floor(clock.wallMs() / 1000);
    const stop = keepLastSeen(folder, clock, failed);
    expect(seenSeconds()).toBe(seconds());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    clock.advance(3 * hourMs);
    expect(seenSeconds()).toBe(seconds());
    clock.advance(hourMs / 2);
    stop();
    expect(seenSeconds()).toBe(seconds());
    expect(clock.pendingMs).toEqual([]);
  });

  it('that it cannot be written is told, and tried again', () => {
    const clock = new VirtualClock();
    const errors: unknown[] = [];
    rmSync(folder, { recursive: true });
    const stop = keepLastSeen(folder, clock, (error) => errors.push(error));
    clock.advance(hourMs);
    expect(errors).toHaveLength(2);
    expect(String(errors[0])).toMatch(/ENOENT/);
    stop();
  });
});

describe('a server', () => {
  const now = Date.parse('2026-01-31T00:00:00Z');
  const seen = (hoursAgo: number): void =>
    writeFileSync(file, JSON.stringify({ last_seen_unix: now / 1000 - hoursAgo * 3_600 }));

  it('may join when it never ran, was away for no longer, or was seen in what is the future now', () => {
    refuseLongAway(folder, most, now);
    for (const hoursAgo of [0, 168, -5]) {
      seen(hoursAgo);
      refuseLongAway(folder, most, now);
    }
  });

  it('may not when it was away for longer, or when nobody can tell', () => {
    seen(169);
    expect(() => refuseLongAway(folder, most, now)).toThrow(
      /away for 169h0m0s, longer than server_rejoin_age_max \(168h0m0s\) allows/,
    );
    for (const text of ['', '{}', '{"last_seen_unix":"yesterday"}', 'null']) {
      writeFileSync(file, text);
      expect(() => refuseLongAway(folder, most, now), text).toThrow(/does not say when this server last ran/);
    }
  });
});

describe('an agent', () => {
  const start = (given: object): Promise<Agent> =>
    Agent.start({ given: { bind_addr: '127.0.0.1', data_dir: folder, ...given }, anyPorts: true });
  const aged = { server: true, bootstrap: true };

  it('that is a server says that it ran, and does not start with what is too old', { timeout: 30_000 }, async () => {
    const agent = await start(aged);
    await agent.stop();
    expect(seenSeconds()).toBeGreaterThan(Date.now() / 1000 - 30);
    writeFileSync(file, JSON.stringify({ last_seen_unix: Math.floor(Date.now() / 1000) - 8 * 3_600 }));
    await expect(start({ ...aged, server_rejoin_age_max: '7h' })).rejects.toThrow(/has been away for 8h/);
    await (await start({ ...aged, server_rejoin_age_max: '9h' })).stop();
  });

  it('takes no bound below six hours', async () => {
    await expect(start({ ...aged, server_rejoin_age_max: '5h' })).rejects.toThrow(/cannot be less than: 6h0m0s/);
    expect(existsSync(file)).toBe(false);
  });
});
