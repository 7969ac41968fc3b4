// What an operator hears of file descriptors that run out, on a manual clock; and that what is here can be counted.
import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type OpenFiles, openFilesHere, watchOpenFiles } from '../../src/agent/open-files.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

async function heard(looks: readonly (OpenFiles | 'exhausted' | undefined)[]): Promise<[string[], VirtualClock]> {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}): void =>
      void lines.push(`${level} ${message.slice(0, 20)} ${JSON.stringify(fields)}`);
  let at = 0;
  watchOpenFiles({ clock, look: async () => looks[at++], log: { warn: note('warn'), info: note('info') } });
  for (let i = 0; i < looks.length; i++) {
    clock.advance(5_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(at).toBe(looks.length);
  return [lines, clock];
}
const open = (count: number): OpenFiles => ({ open: count, most: 100 });

it('is told once, and once that it is over', async () => {
  const [lines] = await heard([open(89), open(90), 'exhausted', open(85), open(79), open(85), 'exhausted']);
  expect(lines).toEqual([
    'warn the file descriptors {"open":90,"most":100}',
    'info there are file descr {"open":79,"most":100}',
    'warn the file descriptors {}',
  ]);
});

it('is given up where the system does not say', async () => {
  const [lines, clock] = await heard([undefined]);
  expect(lines).toEqual([]);
  expect(clock.pendingMs).toEqual([]);
});

it('stops', () => {
  const clock = new VirtualClock();
  watchOpenFiles({ clock, look: async () => open(1), log: { warn() {}, info() {} } })();
  expect(clock.pendingMs).toEqual([]);
});

it.runIf(process.platform === 'linux')('counts what is open here', async () => {
  const before = (await openFilesHere()) as OpenFiles;
  expect(before.most).toBeGreaterThan(before.open);
  const files = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
  try {
    expect(((await openFilesHere()) as OpenFiles).open).toBeGreaterThanOrEqual(before.open + 40);
  } finally {
    for (const file of files) closeSync(file);
  }
});
