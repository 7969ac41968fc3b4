// How an agent ends on INT and TERM: it leaves the pool or not, as configured, and its exit code says which.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from '../../src/agent/index.ts';

type Flags = [string, string | boolean | number | readonly string[]][];
const ports = 'ports { http = 0 server = 8388 serf_lan = 8389 serf_wan = 8390 }';
const kinds: Record<'server' | 'client', Flags> = {
  server: [
    ['server', true],
    ['bootstrap', true],
  ],
  client: [],
};

async function endedBy(
  signalName: string,
  kind: 'server' | 'client',
  hcl: string,
): Promise<{ code: number; log: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-signal-'));
  const signal = new AbortController();
  const lines: string[] = [];
  const code = await runAgent({
    flags: new Map<string, string | boolean | number | readonly string[]>([
      ['bind', '127.0.14.71'],
      ['client', '127.0.14.71'],
      ['data-dir', folder],
      ['disable-host-node-id', true],
      ...kinds[kind],
      ['hcl', [ports, hcl].filter((fragment) => fragment !== '')],
    ]),
    args: [],
    exit: () => undefined,
    signal: signal.signal,
    out(text) {
      lines.push(text);
      // In the next turn: a signal within the start has another answer (end-early.test.ts).
      if (text.includes('agent running!')) setImmediate(() => signal.abort(signalName));
    },
    error: (text) => lines.push(text),
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
  return { code, log: lines.join('\n') };
}

it.each<[string, 'server' | 'client', string, boolean]>([
  ['SIGINT', 'client', '', true],
  ['SIGTERM', 'client', '', true],
  ['SIGINT', 'server', '', false],
  ['SIGTERM', 'server', '', false],
  ['SIGINT', 'client', 'skip_leave_on_interrupt = true', false],
  ['SIGTERM', 'client', 'leave_on_terminate = false', false],
  ['SIGINT', 'server', 'skip_leave_on_interrupt = false', true],
  ['SIGTERM', 'server', 'leave_on_terminate = true', true],
])('%s on a %s, %s: leaves %s', async (signal, kind, hcl, leaves) => {
  const { code, log } = await endedBy(signal, kind, hcl);
  expect(log).toContain(leaves ? 'Graceful exit completed' : 'Graceful shutdown disabled. Exiting');
  expect(code).toBe(leaves ? 0 : 1);
});
