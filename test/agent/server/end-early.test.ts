// A server that waits for a new cluster obeys its supervisor: TERM ends it, though it has not started.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from '../../../src/agent/index.ts';

it('ends with 1 on a signal while it waits for the other servers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-early-'));
  const signal = new AbortController();
  const lines: string[] = [];
  const code = await runAgent({
    flags: new Map<string, string | boolean | number>([
      ['server', true],
      ['bootstrap-expect', 3],
      ['bind', '127.0.23.41'],
      ['client', '127.0.23.41'],
      ['data-dir', folder],
    ]),
    args: [],
    exit: () => undefined,
    signal: signal.signal,
    out(text) {
      lines.push(text);
      if (text.includes('waiting for a new cluster')) signal.abort('SIGTERM');
    },
    error: (text) => lines.push(text),
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
  expect(code).toBe(1);
  expect(lines.join('\n')).toContain('Caught before the agent has started');
});
