/** Bugs that the recorded command lines found. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fakeAgent, heddle } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('deregisters the services of a file by their id, not by their name', async () => {
  const agent = await fakeAgent(() => ({ body: '' }));
  const file = join(folder, 'two.hcl');
  writeFileSync(file, 'services { id = "two-1" name = "two" }\nservices { name = "one" }\n');
  const { exit, out } = await heddle(['services', 'deregister', `-http-addr=${agent.address}`, file]);
  await agent.close();
  expect([exit, out]).toEqual([0, 'Deregistered service: two-1\nDeregistered service: one\n']);
  expect(agent.asked.map(({ url }) => url)).toEqual([
    '/v1/agent/service/deregister/two-1',
    '/v1/agent/service/deregister/one',
  ]);
});

it('says that a CA file is missing before it asks anybody', async () => {
  const agent = await fakeAgent(() => ({ body: '[]' }));
  const { exit, err } = await heddle(['members', `-http-addr=${agent.address}`, '-ca-file=/nonexistent']);
  await agent.close();
  expect([exit, err]).toEqual([
    1,
    'Error connecting to Heddle agent: Error loading CA File: open /nonexistent: no such file or directory\n',
  ]);
  expect(agent.asked).toEqual([]);
});

it('shows the help of the command that follows misplaced flags', async () => {
  const { exit, err } = await heddle(['-foo', 'kv', 'get', 'x']);
  expect(exit).toBe(1);
  expect(err).toMatch(/^Invalid flags before the subcommand\./);
  expect(err).toContain('Usage: heddle kv get [options] [KEY_OR_PREFIX]');
});
