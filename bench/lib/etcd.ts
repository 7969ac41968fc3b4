/** The peer of the replication benchmark: an etcd cluster of the installed version on loopback, with its default fsync. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawClient } from './raw-http.ts';

export interface PeerCluster {
  /** `host:port` of each member's client door, the leader's first. */
  readonly targets: readonly string[];
  readonly pids: readonly number[];
  /** Kills a member (by its place in `targets`) with -9 and starts it again on its data; ms until it answers and knows a leader. */
  restart(member: number): Promise<number>;
  stop(): void;
}

const clientPort = 12379;
const peerPort = 12380;

export async function startEtcd(size: number): Promise<PeerCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-etcd-'));
  const hosts = Array.from({ length: size }, (_, i) => `127.0.31.${i + 1}`);
  const cluster = hosts.map((host, i) => `e${i}=http://${host}:${peerPort}`).join(',');
  const launch = (host: string, i: number): ChildProcess =>
    spawn(
      'etcd',
      [
        `--name=e${i}`,
        `--data-dir=${join(folder, `e${i}`)}`,
        `--listen-peer-urls=http://${host}:${peerPort}`,
        `--initial-advertise-peer-urls=http://${host}:${peerPort}`,
        `--listen-client-urls=http://${host}:${clientPort}`,
        `--advertise-client-urls=http://${host}:${clientPort}`,
        `--initial-cluster=${cluster}`,
        '--initial-cluster-state=new',
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    );
  const children: ChildProcess[] = hosts.map(launch);
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const leader = await leaderOf(hosts);
    const order = [leader, ...hosts.filter((host) => host !== leader)];
    return {
      targets: order.map((host) => `${host}:${clientPort}`),
      get pids() {
        return order.map((host) => children[hosts.indexOf(host)]!.pid!);
      },
      async restart(member) {
        const host = order[member]!;
        const i = hosts.indexOf(host);
        const gone = once(children[i]!, 'exit');
        children[i]!.kill('SIGKILL');
        await gone;
        const start = performance.now();
        children[i] = launch(host, i);
        for (;;) {
          const status = await statusOf(host);
          if (status !== undefined && status.leader !== '0') return performance.now() - start;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Many writes in one transaction. */
export function etcdPutMany(keys: readonly string[], value: string): { method: string; path: string; body: string } {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const success = keys.map((key) => ({ requestPut: { key: base64(key), value: base64(value) } }));
  return { method: 'POST', path: '/v3/kv/txn', body: JSON.stringify({ success }) };
}

async function leaderOf(hosts: readonly string[]): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    for (const host of hosts) {
      const status = await statusOf(host);
      if (status !== undefined && status.leader !== '0' && status.leader === status.member) return host;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('etcd has elected no leader within 20 s');
}

async function statusOf(host: string): Promise<{ leader: string; member: string } | undefined> {
  let client: RawClient;
  try {
    client = await RawClient.open(host, clientPort);
  } catch {
    return undefined; // not listening yet
  }
  try {
    const { status, body } = await client.request({ method: 'POST', path: '/v3/maintenance/status', body: '{}' });
    if (status !== 200) return undefined;
    const facts = JSON.parse(body.toString()) as { leader?: string; header: { member_id: string } };
    return { leader: facts.leader ?? '0', member: facts.header.member_id };
  } finally {
    client.close();
  }
}
