/** Sets the stage of a run: a place on this machine, namespaces, the proxy before the servers, the servers, the hosts. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../src/std/random.ts';
import { block } from '../nemeses/block.ts';
import type { NemesisContext } from '../nemeses/nemesis.ts';
import { faketimeLibrary, underFaketime } from './clock-skew.ts';
import { ProcessCluster } from './cluster.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Holdings } from './holdings.ts';
import { MeshHosts } from './hosts.ts';
import { withBlocker } from './loop-blocking.ts';
import { TestNetwork } from './network.ts';
import { say } from './say.ts';
import type { Settings } from './settings.ts';
import { Slot } from './slot.ts';

/** The hosts come after the servers, in addresses and in namespaces. */
const hostCount = 2;

export async function setStage(wanted: Settings, random: Random, holdings: Holdings): Promise<NemesisContext> {
  const folder = join(wanted.out, 'servers');
  const slot = Slot.claim(folder);
  holdings.add(() => slot.release());
  const withHosts = [...wanted.workloads, ...wanted.nemeses].some((each) => 'hosts' in each || 'onHost' in each);
  const network = await openNetwork(wanted.servers + (withHosts ? hostCount : 0), slot);
  if (network !== undefined) holdings.add(() => network.remove());
  const subnet = slot.subnet(network === undefined ? 'loopback' : 'bridge');
  const proxied = wanted.nemeses.some((nemesis) => nemesis.proxied === true);
  const proxy = proxied ? await openProxy(wanted.servers, subnet, network, random.stream('proxy').next) : undefined;
  if (proxy !== undefined) {
    holdings.add(() => proxy.stop());
    network?.attach(proxy);
  }
  const skewed = wanted.nemeses.some(({ name }) => name === 'clock') && faketimeLibrary() !== undefined;
  const inside = (index: number, words: readonly string[]): readonly string[] => network?.inside(index, words) ?? words;
  const blockable = wanted.nemeses.includes(block);
  const wrap = (server: number, words: readonly string[]): readonly string[] => {
    const command = blockable ? withBlocker(folder, server, words) : words;
    return inside(server, skewed ? underFaketime(folder, server, command) : command);
  };
  const cluster = await ProcessCluster.start(
    {
      size: wanted.servers,
      subnet,
      folder,
      ...(wanted.smallDisks ? { smallDisksMiB: 128 } : {}),
      ...(proxy === undefined ? {} : { advertise: (server) => proxyAddress(subnet, server) }),
      wrap,
    },
    (started) => holdings.add(() => started.stop()),
  );
  const hosts = withHosts
    ? await MeshHosts.start(
        {
          cluster,
          addresses: [1, 2].map((host) => `${subnet}.${wanted.servers + host}`) as [string, string],
          harnessAddress: network?.hostAddress ?? `${subnet}.254`,
          wrap: (host, words) => inside(wanted.servers + host, words),
          deaf: wanted.planted === 'deaf-sidecar',
        },
        (started) => holdings.add(() => started.stop()),
      )
    : undefined;
  return { cluster, network, proxy, hosts, chance: random.stream('nemesis').next };
}

/** Namespaces, where this machine allows them; without, the nemeses that need them say so. */
async function openNetwork(size: number, slot: Slot): Promise<TestNetwork | undefined> {
  if (TestNetwork.missing() !== undefined) return undefined;
  let reason = '';
  // The kernel may still be busy with what the last run of that name left.
  for (let tries = 0; tries < 5; tries++) {
    try {
      return TestNetwork.create(size, slot.subnet('bridge'), slot.networkName);
    } catch (error) {
      reason = String((error as { stderr?: string }).stderr ?? error).trim();
      await delay(1_000);
    }
  }
  say(`no network namespaces here: ${reason}`);
  return undefined;
}

const proxyAddress = (subnet: string, server: number): string => `${subnet}.${101 + server}`;

function openProxy(
  servers: number,
  subnet: string,
  network: TestNetwork | undefined,
  chance: () => number,
): Promise<FaultProxy> {
  const ways = Array.from({ length: servers }, (_, server) => {
    const listen = proxyAddress(subnet, server);
    network?.addHostAddress(listen);
    return { listen, target: `${subnet}.${server + 1}`, tcpPorts: [8300, 8301], udpPorts: [8301] };
  });
  return FaultProxy.start(ways, chance);
}
