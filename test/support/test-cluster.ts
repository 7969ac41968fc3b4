/**
 * A cluster for agents under test: the real commands and queries over a store in memory, and a pool of one. The leader's
 * work on members is done once, at the start: the node with `serfHealth`, and the service `consul`.
 */

import type { Cluster, ClusterInput } from '../../src/agent/cluster.ts';
import type { Snapshots } from '../../src/api/backend.ts';
import type { Member } from '../../src/api/local-agent.ts';
import { healthCheck, nodeService } from '../../src/structs/index.ts';
import { TestBackend } from './backend.ts';

export interface TestCluster extends Cluster {
  readonly backend: TestBackend;
}

export async function startTestCluster({ config, nodeId }: ClusterInput): Promise<TestCluster> {
  const backend = new TestBackend(config.nodeName);
  const member: Member = {
    Name: config.nodeName,
    Addr: config.advertiseAddress,
    Port: config.settings.ports.serf_lan,
    Tags: { role: 'consul', dc: config.datacenter, id: nodeId, build: '1.10.10:' },
    Status: 1,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
  await registerMember(backend, config.nodeName, nodeId, config.advertiseAddress);
  return {
    backend,
    snapshots: {
      save: () => Promise.reject(new Error('no snapshots here')),
      restore: () => Promise.reject(new Error('no snapshots here')),
    } as Snapshots,
    routes: [],
    ready: async () => undefined,
    members: () => [member],
    join: async () => undefined,
    forceLeave: async () => undefined,
    leave: async () => undefined,
    stop: async () => undefined,
    stats: () => ({ consul: { server: 'true' } }),
    failed: new Promise(() => undefined),
  };
}

async function registerMember(backend: TestBackend, node: string, id: string, address: string): Promise<void> {
  const caller = { token: '', address: '', call: 'leader/reconcile', datacenter: '' };
  const check = {
    ...healthCheck.zero(),
    Node: node,
    CheckID: 'serfHealth',
    Name: 'Serf Health Status',
    Status: 'passing',
    Output: 'Agent alive and reachable',
  };
  const service = {
    ...nodeService.zero(),
    ID: 'consul',
    Service: 'consul',
    Port: 8300,
    Weights: { Passing: 1, Warning: 1 },
  };
  await backend.apply(
    'catalog.register',
    {
      Datacenter: 'dc1',
      ID: id,
      Node: node,
      Address: address,
      TaggedAddresses: null,
      NodeMeta: null,
      Service: service,
      Check: check,
      Checks: null,
      SkipNodeUpdate: false,
    },
    caller,
  );
}
