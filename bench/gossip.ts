/**
 * `npm run bench:gossip`: what membership costs, and how fast news travels, beside the real thing.
 *
 * A pool of 200 members of ours in one process, one of 20, and one of 20 `serf` agents (a process each, as they come;
 * skipped, and said so, where Debian's `serf` is not installed) run one after the other, each alone in a network
 * namespace of its own where the system allows that: then the loopback interface counts exactly their traffic.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import type { GroupResult } from './gossip-group.ts';

const group = fileURLToPath(new URL('./gossip-group.js', import.meta.url));
const seconds = readCommandLine(
  {
    script: 'bench:gossip',
    about: 'What membership costs and how fast news travels: 200 and 20 members in one process, and 20 `serf` agents.',
    words: { usage: '[SECONDS]', help: 'of calm, in which bytes and CPU are counted (30)', most: 1, numbers: true },
  },
  ({ numbers: [seconds = 30] }) => seconds,
);

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const namespaces = has('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up');
const serf = spawnSync('serf', ['version'], { encoding: 'utf8' });

function run(kind: 'heddle' | 'serf', members: number): GroupResult {
  const args = [group, kind, String(members), String(seconds)];
  process.stderr.write(`${kind}, ${members} members: forming, then ${seconds} s of calm …\n`);
  const command = ['ip link set lo up && exec "$0" "$@"', process.execPath, ...args];
  const child = namespaces
    ? spawnSync('unshare', ['-n', 'sh', '-c', ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    : spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) throw new Error(`the group ${kind} ${members} ended with ${child.status}`);
  return JSON.parse(child.stdout) as GroupResult;
}

const results = [run('heddle', 200), run('heddle', 20)];
if (serf.status === 0) results.push(run('serf', 20));

const columns: [string, (result: GroupResult) => string][] = [
  ['members', (r) => String(r.members)],
  ['processes', (r) => String(r.processes)],
  ['CPU, % of a core a member', (r) => r.cpuPercentPerMember.toFixed(3)],
  ['bytes/s a member', (r) => r.bytesPerSecondPerMember.toFixed(0)],
  ['resident MB a member', (r) => r.residentMbPerMember.toFixed(1)],
  ['join known to all, ms', (r) => r.joinMs.toFixed(0)],
  ['event known to all, ms', (r) => r.eventMs.toFixed(0)],
  ['failure known to first, ms', (r) => r.firstFailureMs.toFixed(0)],
  ['failure known to all, ms', (r) => r.failureMs.toFixed(0)],
];

const names = results.map((r) => `${r.kind} ${r.members}`);
process.stdout.write(`${''.padEnd(28)}${names.map((name) => name.padStart(14)).join('')}\n`);
for (const [title, value] of columns) {
  process.stdout.write(`${title.padEnd(28)}${results.map((r) => value(r).padStart(14)).join('')}\n`);
}
const [large, small, peer] = results;
if (peer === undefined) {
  process.stdout.write('\npeers: none found (Debian package `serf` is not installed)\n');
} else {
  const ratio = (of: (r: GroupResult) => number, mine: GroupResult): string => (of(mine) / of(peer)).toFixed(2);
  const line = (mine: GroupResult): string =>
    `CPU ${ratio((r) => r.cpuPercentPerMember, mine)}, bytes ${ratio((r) => r.bytesPerSecondPerMember, mine)}, ` +
    `memory ${ratio((r) => r.residentMbPerMember, mine)}`;
  process.stdout.write(`\npeers: serf, which calls itself ${serf.stdout.split('\n')[0]}\n`);
  process.stdout.write(`ratios a member, ours / serf: 20 members in one process: ${line(small!)}\n`);
  process.stdout.write(`                              200 members in one process: ${line(large!)}\n`);
}
process.stdout.write(
  `\n${namespaces ? 'own network namespaces: bytes are exact' : 'no network namespaces: bytes include other loopback traffic'}` +
    `; ${seconds} s of calm; profile lan; Node ${process.version}\n`,
);
