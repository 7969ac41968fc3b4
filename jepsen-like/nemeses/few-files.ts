/**
 * One server may open no more files or sockets, while many connections are made to it: who is new is turned away, who is connected
 * is served, the log says why, and when there is room again all is as before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { ProcessCluster } from '../real/cluster.ts';
import { command, commandExists } from '../real/commands.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

/** What it may still open when the limit falls, and how many try. */
const spare = 4;
const callers = 40;
const backMs = 10_000;

export const fewFiles: Nemesis = {
  name: 'few-files',
  does: 'one server may open no more files or sockets (prlimit), and 40 connections are made to it; then it may again',
  // It counts what it has open each five seconds.
  lastsMs: { least: 6_000, most: 9_000 },
  missing: () => (commandExists('prlimit') ? undefined : 'prlimit is not installed'),
  async strike(context) {
    const { cluster } = context;
    const server = await victim(context);
    if (!cluster.isRunning(server)) return missed(`server ${server} was not running`);
    const pid = cluster.pid(server);
    const before = softLimit(pid);
    const open = readdirSync(`/proc/${pid}/fd`).length;
    setSoftLimit(pid, String(open + spare));
    const logged = readFileSync(cluster.logFile(server), 'utf8').length;
    let turnedAway = 0;
    const sockets = Array.from({ length: callers }, () =>
      // One that says nothing and is closed all the same was not wanted.
      connect(8500, cluster.host(server))
        .on('error', () => undefined)
        .once('close', () => turnedAway++),
    );
    return {
      what: `server ${server} may open ${spare} files more than its ${open}`,
      async heal() {
        const proof = turnedAway > 0 ? `${turnedAway} of ${callers} connections were turned away` : undefined;
        for (const socket of sockets) socket.destroy();
        if (!cluster.isRunning(server)) return undefined;
        setSoftLimit(pid, before);
        if (!/file descriptors .* used up/.test(readFileSync(cluster.logFile(server), 'utf8').slice(logged)))
          cluster.complain(`server ${server} ran out of file descriptors and did not say so`);
        if (!(await isServedWithin(cluster, server, backMs)))
          cluster.complain(`server ${server} serves nobody new, though it may open files again`);
        return proof;
      },
    };
  },
};

const softLimit = (pid: number): string =>
  command('prlimit', '--pid', String(pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT').trim();

function setSoftLimit(pid: number, limit: string): void {
  command('prlimit', '--pid', String(pid), `--nofile=${limit}:`);
}

/** A connection of its own: those of the harness are open already. */
function isServed(cluster: ProcessCluster, server: number): Promise<boolean> {
  const socket = connect(8500, cluster.host(server));
  socket.write('GET /v1/status/leader HTTP/1.1\r\nHost: heddle\r\nConnection: close\r\n\r\n');
  return new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
    socket.setTimeout(1_000, () => resolve(false));
  }).finally(() => socket.destroy());
}

async function isServedWithin(cluster: ProcessCluster, server: number, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) if (await isServed(cluster, server)) return true;
  return false;
}
