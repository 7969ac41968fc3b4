/** Agents for a replay: each on a loopback address of its own with the usual ports, since answers show them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';

export interface RunningAgents {
  /** Where the first one answers. */
  readonly base: string;
  stop(): Promise<void>;
}

/** Starts them with empty data directories, in the order given but the first one last: it joins the others. */
export async function startAgents(configurations: readonly object[]): Promise<RunningAgents> {
  const running: Agent[] = [];
  const folders: string[] = [];
  const stop = async (): Promise<void> => {
    for (const agent of running.reverse()) await agent.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const configuration of [...configurations].reverse()) {
      const folder = mkdtempSync(join(tmpdir(), 'heddle-golden-'));
      folders.push(folder);
      const agent = await Agent.start({ given: { ...moved(configuration), data_dir: folder } });
      running.push(agent);
      // An agent that leaves on request ends as a process would.
      void agent.ended.then(() => agent.stop());
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { base: running.at(-1)!.httpAddress, stop };
}

/** One agent that waits for others that never come: as soon as it answers HTTP. */
export async function startLeaderless(configurations: readonly object[]): Promise<RunningAgents> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-golden-'));
  const given = { ...moved(configurations[0]!), data_dir: folder };
  const agent = await new Promise<Agent>((resolve, reject) => {
    // Its start goes on until the agent stops, and is then refused.
    Agent.start({ given, onConfigured: resolve }).catch(reject);
  });
  const stop = async (): Promise<void> => {
    await agent.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await expect.poll(() => agent.httpAddress, { timeout: 30_000, interval: 50 }).not.toBe('');
  } catch (error) {
    await stop();
    throw error;
  }
  return { base: agent.httpAddress, stop };
}

/** One network a process, so that two runs on one machine do not meet; the recordings' three ranges share it. */
const network = `127.0.${100 + (process.pid % 150)}`;
const offsets: Readonly<Record<string, number>> = { '2': 0, '3': 100, '4': 150 };

function moved(configuration: object): object {
  const text = JSON.stringify(configuration).replace(
    /127\.0\.([234])\.(\d+)/g,
    (_, range: string, host: string) => `${network}.${offsets[range]! + Number(host)}`,
  );
  return JSON.parse(text) as object;
}
