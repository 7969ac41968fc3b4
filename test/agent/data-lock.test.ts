/** One agent a data directory: who has it, whose lock is void, and that a start that is refused touches nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockDataDir } from '../../src/agent/data-lock.ts';
import { Agent } from '../../src/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inUse = /^data_dir ".*" is in use by another agent \(process \d+\): stop it, or choose another -data-dir$/;

it('is for one at a time, and leaves no file when it is given back', () => {
  const unlock = lockDataDir(folder);
  expect(readdirSync(folder)).toEqual(['agent.lock']);
  expect(statSync(join(folder, 'agent.lock')).mode & 0o777).toBe(0o600);
  expect(() => lockDataDir(folder)).toThrow(inUse);
  unlock();
  expect(readdirSync(folder)).toEqual([]);
  lockDataDir(folder)();
});

it.each([
  ['a process that is gone', async () => ({ pid: await deadProcess(), started: '1' })],
  ['another process that has its number now', async () => ({ pid: process.ppid, started: '1' })],
  ['nobody: an empty file', async () => undefined],
])('is free when it was held by %s', async (_name, holder) => {
  const left = await holder();
  writeFileSync(join(folder, 'agent.lock'), left === undefined ? '' : JSON.stringify(left));
  lockDataDir(folder);
  expect(JSON.parse(readFileSync(join(folder, 'agent.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  expect(readdirSync(folder)).toEqual(['agent.lock']);
});

it('a second agent is refused before it opens anything; after the first one stopped it starts', async () => {
  const options = { dev: true, anyPorts: true, given: { data_dir: join(folder, 'data') } };
  const first = await Agent.start(options);
  const before = readdirSync(options.given.data_dir).sort();
  await expect(Agent.start(options)).rejects.toThrow(inUse);
  expect(readdirSync(options.given.data_dir).sort()).toEqual(before);
  expect((await fetch(`${first.httpAddress}/v1/status/leader`)).status).toBe(200);
  await first.stop();
  expect(existsSync(join(options.given.data_dir, 'agent.lock'))).toBe(false);
  await (await Agent.start(options)).stop();
});

it('whatever an agent keeps is its user’s alone', async () => {
  const given = { data_dir: join(folder, 'data') };
  const agent = await Agent.start({ dev: true, anyPorts: true, given });
  await fetch(`${agent.httpAddress}/v1/agent/connect/ca/leaf/web`);
  const modes = readdirSync(given.data_dir, { recursive: true, withFileTypes: true }).map((entry) => {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
    return `${entry.isDirectory() ? 'd' : 'f'}${mode.toString(8)}`;
  });
  await agent.stop();
  expect([...new Set(modes)].sort()).toEqual(['d700', 'f600']);
});

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}
