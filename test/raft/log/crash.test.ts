/**
 * A real process appends to a real log and is killed with -9 at a random moment, again and again. Each time the log must open,
 * verify from end to end, and hold everything that the process had reported as durable.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { openRaftLog } from '../../../src/raft/log/open.ts';

const kills = 12;

it(`loses nothing durable over ${kills} kills`, async () => {
  const work = mkdtempSync(join(tmpdir(), 'raft-crash-'));
  const bundle = resolve(`.vitest/raft-log-${process.pid}.mjs`);
  await build({
    entryPoints: [resolve('src/raft/log/open.ts')],
    ...{ bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile: bundle, logLevel: 'error' },
  });
  let reported = 0;
  for (let kill = 0; kill < kills; kill++) {
    const durable = await runAndKill(join(work, 'log'), bundle, 1 + Math.floor(Math.random() * 25));
    const log = await openRaftLog(join(work, 'log'));
    // The newest report; a truncation that was under way may have taken some of it back.
    expect(log.recovered.lastIndex).toBeGreaterThanOrEqual(durable.index);
    expect(log.recovered.hardState.term).toBeGreaterThanOrEqual(durable.term);
    reported += durable.index;
    await log.close();
  }
  expect(reported).toBeGreaterThan(0);
  rmSync(work, { recursive: true, force: true });
  rmSync(bundle, { force: true });
}, 60_000);

/** Kills the process a random moment after it has reported `after` writes. */
function runAndKill(directory: string, bundle: string, after: number): Promise<{ index: number; term: number }> {
  const child = spawn(process.execPath, [resolve('test/raft/log/victim.mjs'), directory, bundle], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.split('durable').length > after) setTimeout(() => child.kill('SIGKILL'), Math.random() * 4);
  });
  return new Promise((done) => {
    child.on('close', () => {
      let index = 0;
      let term = 0;
      for (const line of text.split('\n').slice(0, -1)) {
        const [word, a, b] = line.split(' ');
        index = word === 'durable' ? Number(a) : Math.min(index, Number(a) - 1);
        if (b !== undefined) term = Number(b);
      }
      done({ index, term });
    });
  });
}
