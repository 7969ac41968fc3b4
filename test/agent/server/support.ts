/** A server alone in a temporary directory, on the system's clock, with itself as the only member. */
import { randomUUID } from 'node:crypto';
import type { PoolMember } from '../../../src/agent/membership/tags.ts';
import { encodeTags } from '../../../src/agent/membership/tags.ts';
import { aloneConfiguration, type MemberSource, Server, type ServerOptions } from '../../../src/agent/server/index.ts';
import type { Caller, ReadOptions } from '../../../src/api/backend.ts';
import { MemoryNetwork, systemClock } from '../../../src/raft/index.ts';
import type { Clock } from '../../../src/std/clock.ts';
import { seededRandom } from '../../../src/std/random.ts';

export const nodeId = '12345678-1234-4234-8234-123456789abc';
export const caller: Caller = { token: '', address: '127.0.14.1:1', call: 'PUT /v1/test', datacenter: '' };
export const reading: ReadOptions = { caller, consistency: 'default' };

export class Members implements MemberSource {
  list: PoolMember[];
  readonly #callbacks = new Set<() => void>();
  constructor(list: PoolMember[]) {
    this.list = list;
  }
  members(): readonly PoolMember[] {
    return this.list;
  }
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
  change(list: PoolMember[]): void {
    this.list = list;
    for (const callback of this.#callbacks) callback();
  }
}

export function serverMember(name: string, address: string, id: string): PoolMember {
  const tags = encodeTags({
    role: 'server',
    datacenter: 'dc1',
    id,
    build: '0.1.0',
    aclsEnabled: false,
    rpcPort: 8300,
    bootstrap: true,
    bootstrapExpect: 0,
    usesTls: false,
  });
  const protocol = { protocolMin: 1, protocolMax: 5, protocolCur: 2 };
  return { name, address, port: 8301, tags, status: 'alive', ...protocol };
}

const warnings: { readonly message: string; readonly fields: Record<string, unknown> }[] = [];

export async function openServer(
  options: Partial<ServerOptions> = {},
  more: { readonly clock?: Clock; readonly members?: Members } = {},
): Promise<Server> {
  const rpcAddress = '127.0.14.1:8300';
  return Server.open(
    {
      dataDir: null,
      datacenter: 'dc1',
      nodeName: 's1',
      nodeId,
      rpcAddress,
      bootstrap: () => aloneConfiguration(nodeId, rpcAddress),
      ...options,
    },
    {
      clock: more.clock ?? systemClock,
      random: seededRandom(randomUUID()),
      transport: new MemoryNetwork().transport(nodeId),
      members: more.members ?? new Members([serverMember('s1', '127.0.14.1', nodeId)]),
      logger: { info: () => undefined, warn: (message, fields) => warnings.push({ message, fields }) },
    },
  );
}
