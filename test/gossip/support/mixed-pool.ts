/** Pools of real `serf` agents and members of ours, each on a loopback address of its own; all are stopped after a test. */
import { GossipNode, type GossipOptions, type Member } from '../../../src/gossip/index.ts';
import { SerfAgent, type SerfOptions } from './serf-agent.ts';
import { once } from './until.ts';

export const key32 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const key16 = 'EBESExQVFhcYGRobHB0eHw==';

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
export const addressOf = (node: GossipNode): string => `${node.local().address}:${node.local().port}`;
export const statusOf = (node: GossipNode, name: string): string | undefined => node.member(name)?.status;

export const memberEvent = (
  node: GossipNode,
  event: 'join' | 'leave' | 'failed' | 'update',
  name: string,
): Promise<Member> =>
  once(
    (callback) => node.on(event, callback),
    (member) => member.name === name,
    `${event} of ${name}`,
  );

export class MixedPool {
  readonly #subnet: string;
  readonly #agents: SerfAgent[] = [];
  readonly #nodes: GossipNode[] = [];
  #lastAddress = 100;

  constructor(subnet: string) {
    this.#subnet = subnet;
  }

  freshAddress(): string {
    return `${this.#subnet}.${++this.#lastAddress}`;
  }

  async serf(name: string, options: Partial<SerfOptions> = {}): Promise<SerfAgent> {
    const agent = await SerfAgent.start({ name, address: this.freshAddress(), ...options });
    this.#agents.push(agent);
    return agent;
  }

  async ours(name: string, options: Partial<GossipOptions> = {}): Promise<GossipNode> {
    const node = await GossipNode.open({
      name,
      bindAddress: this.freshAddress(),
      bindPort: SerfAgent.port,
      profile: 'local',
      ...options,
    });
    this.#nodes.push(node);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.stop()));
    await Promise.all(this.#agents.splice(0).map((agent) => agent.stop()));
  }
}
