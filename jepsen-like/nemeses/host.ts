/**
 * What befalls a host that runs a sidecar: it is cut off from every server, its agent is killed, its agent stands still. The
 * servers are well; what is looked at is what the sidecar of the destination then does, and says.
 */
import { isStopped } from '../real/commands.ts';
import { cannotPart, healed } from './links.ts';
import { missed, type Nemesis, type NemesisContext } from './nemesis.ts';

/** Long enough to be noticed. */
const longMs = { least: 6_000, most: 25_000 };
const base = {
  onHost: true,
  missing: ({ hosts }: NemesisContext) => (hosts === undefined ? 'needs the workload connections' : undefined),
} as const;

export const hostPartition: Nemesis = {
  ...base,
  name: 'host-partition',
  does: 'the host of the destination is cut off from all servers, for up to 25 s; the hosts reach each other',
  lastsMs: longMs,
  missing: (context) => base.missing(context) ?? cannotPart(context),
  strike(context) {
    const { cluster, network, hosts } = context;
    const host = cluster.size + hosts!.destinationHost;
    for (let server = 0; server < cluster.size; server++) network!.cut(host, server);
    return Promise.resolve({
      what: `host ${hosts!.destinationHost} is cut off from all servers`,
      heal: () => healed(context, host, 0),
    });
  },
};

/** The worst of places to watch: the agent is well connected, to a server that hears nothing. */
export const hostStranded: Nemesis = {
  name: 'host-stranded',
  does: 'the server at which the agent of the destination watches is cut off from the others, for up to 25 s; the agent reaches all',
  lastsMs: longMs,
  missing: (context) => base.missing(context) ?? cannotPart(context),
  strike(context) {
    const { cluster, network, hosts } = context;
    const ends = network!.remoteEnds(cluster.size + hosts!.destinationHost, 8300);
    const servers = Array.from({ length: cluster.size }, (_, i) => i);
    const watched = servers.find((server) => ends.includes(cluster.advertised(server)));
    const other = servers.find((server) => server !== watched);
    if (watched === undefined || other === undefined) return Promise.resolve(missed('the agent speaks to no server'));
    for (const server of servers) if (server !== watched) network!.cut(watched, server);
    return Promise.resolve({
      what: `server ${watched}, of host ${hosts!.destinationHost}, is cut off from the others`,
      heal: () => healed(context, watched, other),
    });
  },
};

export const hostKill: Nemesis = {
  ...base,
  name: 'host-kill',
  does: 'kill -9 of the agent on the host of the destination, whose sidecar ends with it; both start again',
  async strike({ hosts }) {
    const agent = hosts!.destinationAgent;
    if (!agent.isRunning) return missed(`${agent.title} was not running`);
    await agent.kill();
    return {
      what: `agent of ${agent.title} killed`,
      heal() {
        agent.launch();
        return Promise.resolve('gone at once');
      },
    };
  },
};

export const hostPause: Nemesis = {
  ...base,
  name: 'host-pause',
  does: 'SIGSTOP of the agent on the host of the destination; its sidecar, a process of its own, goes on',
  strike({ hosts }) {
    const agent = hosts!.destinationAgent;
    if (!agent.isRunning) return Promise.resolve(missed(`${agent.title} was not running`));
    agent.signal('SIGSTOP');
    return Promise.resolve({
      what: `agent of ${agent.title} paused`,
      heal() {
        const stood = isStopped(agent.pid);
        agent.signal('SIGCONT');
        return Promise.resolve(stood ? 'it stood still' : undefined);
      },
    });
  },
};
