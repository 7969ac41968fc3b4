// The captured exchanges of the agent's endpoints, replayed by the script that recorded them against a real agent (Raft,
// LMDB, HTTP). Steps of other families run too, since they build the state that later steps meet; they are judged elsewhere.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import { acceptedDifference } from '../support/captures.ts';
import { reference } from '../support/shared.ts';

const script = reference('golden/capture-discovery.mjs');
const golden = reference('golden/discovery');
const folder = mkdtempSync(join(tmpdir(), 'heddle-captures-'));
let agent: Agent | undefined;
afterEach(async () => {
  await agent?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Steps of this room, by id. */
const mine: Readonly<Record<string, string>> = {
  basic: '-(agent-|svc-(reg|dereg|maint)|chk-|hash-|flt-agent|alias-|node-maint|wait-without-hash)',
  options: '.',
};

describe.skipIf(script === null || golden === null)('captured exchanges of the agent', () => {
  it.each(['options', 'basic'])('%s', { timeout: 120_000 }, async (list) => {
    const configurations = JSON.parse(
      (await run('--config', list)).replaceAll(/127\.0\.2\.\d+/g, '127.0.16.2'),
    ) as object[];
    agent = await Agent.start({
      // Checks of the captures ask the agent itself, at its usual port: hence an address of our own.
      given: { ...configurations[0], data_dir: join(folder, list) },
    });
    const output = await run('--list', list, '--base', agent.httpAddress, '--compare', golden!, '--only', mine[list]!);
    const differing = [...output.matchAll(/^DIFF (\S+) .*\n((?: .*\n)*)/gm)].map((found) => ({
      id: found[1]!,
      text: found[0],
    }));
    const unexpected = differing.filter(({ id }) => acceptedDifference(`discovery/${id}`) === undefined);
    expect(unexpected.map(({ text }) => text).join('\n')).toBe('');
    expect(output).toMatch(/\d+ equal, \d+ different/);
  });
});

function run(...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script!, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}
