// A disk that fails, seen by the real store: strace lets fsync fail. The failed write is told once, nothing else ends the process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { bundleProgram } from '../../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-fsync-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

it.skipIf(!canTrace).each([false, true])(
  'a failed fsync is one rejected write, and the log closes (mayHold: %s)',
  async (mayHold) => {
    const contents = `
    import { diskFolder } from './src/raft/log/segments/files.ts';
    import { SegmentStore } from './src/raft/log/segments/segment-store.ts';
    process.on('unhandledRejection', (error) => { console.log('unhandled', String(error)); });
    const store = await SegmentStore.open(diskFolder(${JSON.stringify(join(folder, `log-${mayHold}`))}));
    let written = 0;
    for (;;) {
      try {
        await store.commit([{ kind: 'put', key: written + 1, value: new Uint8Array(100) }], ${mayHold});
        written++;
      } catch (error) {
        console.log('rejected', String(error));
        break;
      }
    }
    // Time for whatever else was rejected to be missed.
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    console.log('closed after some', written > 0);`;
    const outfile = await bundleProgram('failed-fsync', contents);
    const calls = 'fdatasync,fsync,msync';
    const words = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=EIO:when=9+`];
    const { stdout, status } = spawnSync('strace', [...words, process.execPath, outfile], {
      encoding: 'utf8',
      timeout: 25_000,
    });
    expect([stdout, status]).toEqual(['rejected Error: EIO: i/o error, fdatasync\nclosed after some true\n', 0]);
  },
);

it('strace is here, or its absence is told', () => {
  if (!canTrace) console.warn('SKIPPED a failed fsync: strace is not here, or may not trace');
});
