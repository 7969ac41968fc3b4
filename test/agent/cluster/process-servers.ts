/** Three servers, each a process of its own, for client agents of this process to find: what may hang or be killed needs a process. */
import { execFileSync } from 'node:child_process';
import { ProcessCluster } from '../../../jepsen-like/real/cluster.ts';
import { Slot } from '../../../jepsen-like/real/slot.ts';
import { packageRoot } from '../../../src/package-root.ts';

/** Quicker than the defaults, and slower than a read waits before it asks a second server: both ways out of a hang are taken. */
const gossip = { probe_interval: '500ms', probe_timeout: '300ms', gossip_interval: '50ms', suspicion_mult: 4 };

export interface ProcessServers {
  readonly servers: ProcessCluster;
  /** `127.0.N`: clients take addresses of it beside the servers. */
  readonly subnet: string;
  /** What a client agent of the pool is configured with. */
  readonly client: {
    readonly gossip_lan: typeof gossip;
    readonly retry_join: readonly string[];
    readonly retry_interval: string;
  };
  stop(): void;
}

export async function startProcessServers(folder: string): Promise<ProcessServers> {
  // Servers, and hosts of sidecars, are processes: they run what is built.
  execFileSync(process.execPath, ['scripts/ready.mjs', '--build'], { cwd: packageRoot, stdio: 'ignore' });
  const slot = Slot.claim(folder);
  const subnet = slot.subnet('loopback');
  const pool = Object.entries(gossip).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const flags = ['gossip_lan', 'gossip_wan'].map((name) => `-hcl=${name} { ${pool.join('\n')} }`);
  const servers = await ProcessCluster.start({ size: 3, subnet, folder, flags });
  const retry_join = [0, 1, 2].map((server) => `${servers.host(server)}:8301`);
  return {
    ...{ servers, subnet, client: { gossip_lan: gossip, retry_join, retry_interval: '200ms' } },
    stop: () => {
      servers.stop();
      slot.release();
    },
  };
}
