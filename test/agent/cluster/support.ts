/**
 * Clusters of whole agents in this process, on loopback addresses and ports of their own: servers that find each other by
 * gossip, and client agents that find the servers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../../src/index.ts';
import { eventually } from '../../support/eventually.ts';

/** Failures are seen within a second or two instead of ten. */
const quick = { probe_interval: '200ms', probe_timeout: '100ms', gossip_interval: '50ms', suspicion_mult: 2 };
const quickGossip = { gossip_lan: quick, gossip_wan: quick };

export type Given = Record<string, unknown>;

export class AgentCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'heddle-agents-'));
  readonly agents = new Map<string, Agent>();
  readonly log: string[] = [];
  readonly #subnet: string;
  /** Where an agent listened: it comes back there, as a host does. */
  readonly #ports = new Map<string, Given>();
  #hosts = 0;
  #seed: string | undefined;

  /** Agents get the addresses `<subnet>.1`, `<subnet>.2`, …  */
  constructor(subnet: string) {
    this.#subnet = subnet;
  }

  agent(name: string): Agent {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`there is no agent ${name}`);
    return agent;
  }

  /** Starts servers `s1`, `s2`, … and waits until they have a leader. */
  async servers(count: number, given: Given = {}): Promise<void> {
    const starting: Promise<Agent>[] = [];
    for (let i = 1; i <= count; i++) {
      starting.push(this.start(`s${i}`, { server: true, bootstrap_expect: count, ...given }));
      await eventually(() => this.#seed);
    }
    await Promise.all(starting);
  }

  /** Resolves when the agent runs: a server when it has a leader. It joins the first agent of the cluster. */
  async start(name: string, given: Given = {}, host = ++this.#hosts): Promise<Agent> {
    let configured: Agent | undefined;
    const address = `${this.#subnet}.${host}`;
    const starting = Agent.start({
      anyPorts: true,
      given: {
        node_name: name,
        bind_addr: address,
        client_addr: address,
        data_dir: join(this.folder, name),
        disable_host_node_id: true,
        ...quickGossip,
        ports: this.#ports.get(`${name} ${address}`) ?? {},
        ...(this.#seed === undefined ? {} : { retry_join: [this.#seed], retry_interval: '200ms' }),
        ...given,
      },
      output: (line) => this.log.push(`${name} ${line}`),
      onConfigured: (agent) => {
        configured = agent;
      },
    });
    starting.catch(() => undefined);
    if (this.#seed === undefined) {
      const agent = await eventually(() => configured);
      const self = await eventually(async () => {
        if (agent.httpAddress === '') return undefined;
        const [member] = await this.get<{ Addr: string; Port: number }[]>(agent, '/v1/agent/members');
        return member;
      });
      this.#seed = `${self.Addr}:${self.Port}`;
    }
    const agent = await starting;
    this.agents.set(name, agent);
    const { Member } = await this.get<{ Member: { Port: number; Tags: Record<string, string> } }>(
      agent,
      '/v1/agent/self',
    );
    const server = Member.Tags.port === undefined ? {} : { server: Number(Member.Tags.port) };
    this.#ports.set(`${name} ${address}`, { serf_lan: Member.Port, ...server });
    return agent;
  }

  async get<T>(agent: Agent | string, path: string): Promise<T> {
    const answer = await fetch(this.#url(agent) + path);
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async put(agent: Agent | string, path: string, body?: unknown, method = 'PUT'): Promise<string> {
    const answer = await fetch(this.#url(agent) + path, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return `${answer.status} ${await answer.text()}`;
  }

  /** Name of the server that leads. */
  async leader(): Promise<string> {
    return eventually(async () => {
      for (const [name, agent] of this.agents) {
        const self = await this.get<{ Stats: { consul: { leader?: string } } }>(agent, '/v1/agent/self').catch(
          () => undefined,
        );
        if (self?.Stats.consul.leader === 'true') return name;
      }
      return undefined;
    });
  }

  /** Ends an agent without a word to the others. */
  async crash(name: string): Promise<void> {
    const agent = this.agent(name);
    this.agents.delete(name);
    await agent.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #url(agent: Agent | string): string {
    return (typeof agent === 'string' ? this.agent(agent) : agent).httpAddress;
  }
}
