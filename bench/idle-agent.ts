/**
 * What agents at rest cost their hosts: memory and CPU of clients, beside a `serf agent` in the same pool, and of servers, beside
 * an etcd of three. Three servers, two clients (one of them with a service and a check), one Serf agent; measured over a quiet
 * period after a settling one.
 *
 *     npm run bench:idle [-- seconds]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { packageRoot } from '../src/package-root.ts';
import { type PeerCluster, startEtcd } from './lib/etcd.ts';
import { cpuSeconds, residentParts, which } from './lib/processes.ts';
import { figure, printTable } from './lib/table.ts';

const subnet = '127.0.19';
const settleMs = 20_000;
const seconds = readCommandLine(
  {
    script: 'bench:idle',
    about:
      'What agents at rest cost their hosts, in memory and CPU: clients beside a `serf agent`, servers beside etcd.',
    words: { usage: '[SECONDS]', help: 'how long it is watched, after 20 s of settling (60)', most: 1, numbers: true },
  },
  ({ numbers: [seconds = 60] }) => seconds,
);
const folder = mkdtempSync(join(tmpdir(), 'heddle-idle-'));
const children: ChildProcess[] = [];
const quiet = { stdio: 'ignore' } as const;

function client(name: string, host: number, ...more: string[]): ChildProcess {
  const address = `${subnet}.${host}`;
  const words = ['agent', `-node=${name}`, `-bind=${address}`, `-client=${address}`, `-data-dir=${join(folder, name)}`];
  const child = spawn(join(packageRoot, 'bin/heddle'), [...words, `-retry-join=${subnet}.1`, ...more], quiet);
  children.push(child);
  return child;
}

const servers = await ProcessCluster.start({ size: 3, subnet });
let etcd: PeerCluster | undefined;
try {
  const leader = await servers.leader();
  if (leader === undefined) throw new Error('no leader');
  if (which('etcd') !== undefined) etcd = await startEtcd(3);
  const idle = client('idle', 101);
  const service = 'services = [{ name = "web", port = 80, check = { tcp = "127.0.19.1:8500", interval = "10s" } }]';
  const busy = client('with-check', 102, `-hcl=${service}`);
  const serf =
    which('serf') !== undefined
      ? spawn(
          'serf',
          [
            'agent',
            '-node=serf',
            `-bind=${subnet}.103:8301`,
            `-rpc-addr=${subnet}.103:7373`,
            `-join=${subnet}.1:8301`,
            '-tag',
            'role=node',
            '-tag',
            'dc=dc1',
            '-profile=lan',
          ],
          quiet,
        )
      : undefined;
  if (serf !== undefined) children.push(serf);
  await delay(settleMs);
  const watched: [string, number][] = [
    ['client agent, idle', idle.pid!],
    ['client agent, one TCP check every 10 s', busy.pid!],
    ['server that leads', servers.pid(leader)],
    ['server that follows', servers.pid((leader + 1) % 3)],
    ...(etcd === undefined
      ? []
      : ([
          ['etcd that leads', etcd.pids[0]!],
          ['etcd that follows', etcd.pids[1]!],
        ] as [string, number][])),
    ...(serf === undefined ? [] : [['serf agent', serf.pid!] as [string, number]]),
  ];
  const before = watched.map(([, pid]) => cpuSeconds(pid));
  await delay(seconds * 1_000);
  const rows = watched.map(([name, pid], i) => {
    const { own, files } = residentParts(pid);
    const share = (cpuSeconds(pid) - before[i]!) / seconds;
    return [name, figure(own + files, 1), figure(own, 1), figure(share * 100, 2)];
  });
  printTable(`Agents at rest, over ${seconds} s`, ['process', 'resident MiB', 'own MiB', '% of a core'], rows);
  const maps = readFileSync(`/proc/${idle.pid}/maps`, 'utf8');
  process.stdout.write(`lmdb in the idle client: ${/lmdb/.test(maps) ? 'loaded' : 'not loaded'}\n`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  servers.stop();
  etcd?.stop();
  rmSync(folder, { recursive: true, force: true });
}
