/** `/v1/agent/self`: who this agent is, how it is set up, how it does. Secrets are shown as `hidden`. */
import { availableParallelism, release } from 'node:os';
import type { Member } from '../api/local-agent.ts';
import { interfaceVersion } from '../version.ts';
import type { AgentConfig } from './config/index.ts';
import { debugConfig } from './debug-config.ts';

export interface SelfFacts {
  readonly config: AgentConfig;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly member: Member;
  readonly meta: Readonly<Record<string, string>>;
  readonly stats: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** No vector is known before others are measured: the origin, with the error that every coordinate starts with. */
const originCoordinate = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 };

export function selfDocument({ config, nodeId, dataDir, member, meta, stats }: SelfFacts): unknown {
  return {
    Config: {
      Datacenter: config.datacenter,
      PrimaryDatacenter: config.primaryDatacenter,
      NodeName: config.nodeName,
      NodeID: nodeId,
      Revision: '',
      Server: config.server,
      Version: interfaceVersion,
    },
    DebugConfig: debugConfig(config, nodeId, dataDir),
    Coord: config.settings.disable_coordinates ? null : originCoordinate,
    Member: member,
    Stats: { ...stats, runtime: runtimeStats() },
    Meta: meta,
  };
}

function runtimeStats(): Record<string, string> {
  const cpus = String(availableParallelism());
  return {
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    cpu_count: cpus,
    // The reference counts its green threads; the nearest here are the handles that keep the loop alive.
    goroutines: String(process.getActiveResourcesInfo().length),
    max_procs: cpus,
    os: process.platform,
    version: `node${process.version.replace('v', '')} (${release()})`,
  };
}
