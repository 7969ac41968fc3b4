/** One pool for `bench/gossip.ts`: forms it, measures it at rest, then a join, an event and a failure; prints JSON. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { GossipNode } from '../src/gossip/index.ts';

export interface GroupResult {
  readonly kind: string;
  readonly members: number;
  readonly processes: number;
  readonly cpuPercentPerMember: number;
  readonly bytesPerSecondPerMember: number;
  readonly residentMbPerMember: number;
  readonly joinMs: number;
  readonly eventMs: number;
  readonly firstFailureMs: number;
  readonly failureMs: number;
}

/** News as members tell it: a kind, whom it is about. */
type Listener = (news: 'join' | 'failed' | 'event', subject: string) => void;

interface Group {
  readonly processes: number;
  form(members: number): Promise<void>;
  cpuMs(): number;
  residentBytes(): number;
  join(name: string): Promise<void>;
  event(name: string): void;
  /** Without a word. */
  crash(name: string): Promise<void>;
  close(): Promise<void>;
}

let listener: Listener = () => {};

function expectNews(count: number, news: string, subject: string): Promise<{ firstMs: number; lastMs: number }> {
  const started = performance.now();
  let heard = 0;
  let firstMs = 0;
  return new Promise((resolve) => {
    listener = (kind, about) => {
      if (kind !== news || about !== subject) return;
      const now = performance.now() - started;
      if (++heard === 1) firstMs = now;
      if (heard === count) resolve({ firstMs, lastMs: now });
    };
  });
}

class HeddleGroup implements Group {
  readonly processes = 1;
  private readonly nodes = new Map<string, GossipNode>();

  async form(members: number): Promise<void> {
    for (let i = 0; i < members; i++) await this.join(`m${i}`);
    const complete = (): boolean => [...this.nodes.values()].every((node) => node.members().length === members);
    while (!complete()) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async join(name: string): Promise<void> {
    const node = await GossipNode.open({ name, bindAddress: '127.0.12.1', bindPort: 0, profile: 'lan' });
    node.on('join', (member) => listener('join', member.name));
    node.on('failed', (member) => listener('failed', member.name));
    node.on('userEvent', (event) => listener('event', event.name));
    const [first] = this.nodes.values();
    this.nodes.set(name, node);
    if (first !== undefined) await node.join([`127.0.12.1:${first.local().port}`]);
  }

  event(name: string): void {
    const [first] = this.nodes.values();
    first!.userEvent(name, new Uint8Array(32));
  }

  async crash(name: string): Promise<void> {
    await this.nodes.get(name)!.stop();
    this.nodes.delete(name);
  }

  cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }

  residentBytes(): number {
    return process.memoryUsage().rss;
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.stop()));
  }
}

const clockTicksPerSecond = 100;
const pageBytes = 4096;

class SerfGroup implements Group {
  private readonly children = new Map<string, ChildProcess>();
  private lastHost = 1;

  get processes(): number {
    return this.children.size;
  }

  async form(members: number): Promise<void> {
    for (let i = 0; i < members; i++) await this.join(`m${i}`);
    const listed = (): number => JSON.parse(this.serf('members', '-format=json')).members.length;
    while (listed() < members) await new Promise((resolve) => setTimeout(resolve, 200));
    // The last of them hears of the rest a moment later.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }

  private serf(command: string, ...args: string[]): string {
    return execFileSync('serf', [command, '-rpc-addr=127.0.13.1:17373', ...args], { encoding: 'utf8' });
  }

  async join(name: string): Promise<void> {
    const address = `127.0.13.${this.lastHost++}`;
    const args = [`-node=${name}`, `-bind=${address}:17946`, `-rpc-addr=${address}:17373`, '-profile=lan'];
    const join = this.children.size > 0 ? ['-join=127.0.13.1:17946'] : [];
    const child = spawn('serf', ['agent', ...args, ...join], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.children.set(name, child);
    let rest = '';
    await new Promise<void>((resolve) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop()!;
        for (const line of lines) {
          if (line.includes(`EventMemberJoin: ${name} `)) resolve();
          // What everybody says of the others; its own arrival is no news to a member.
          if (!line.includes(`EventMemberJoin: ${name} `)) hear(line);
        }
      });
    });
  }

  event(name: string): void {
    spawn('serf', ['event', '-rpc-addr=127.0.13.1:17373', '-coalesce=false', name, 'x'.repeat(32)], {
      stdio: 'ignore',
    });
  }

  async crash(name: string): Promise<void> {
    this.children.get(name)!.kill('SIGKILL');
    this.children.delete(name);
  }

  cpuMs(): number {
    let ticks = 0;
    for (const { pid } of this.children.values()) {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    }
    return (ticks * 1000) / clockTicksPerSecond;
  }

  residentBytes(): number {
    let pages = 0;
    for (const { pid } of this.children.values())
      pages += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return pages * pageBytes;
  }

  async close(): Promise<void> {
    for (const child of this.children.values()) child.kill('SIGKILL');
  }
}

/** The agent's own log is the quickest way to see what it knows. */
function hear(line: string): void {
  const member = /EventMember(Join|Failed): (\S+)/.exec(line);
  if (member !== null) listener(member[1] === 'Join' ? 'join' : 'failed', member[2]!);
  const event = /Received event: user-event: (\S+)/.exec(line);
  if (event !== null) listener('event', event[1]!);
}

function loopbackBytes(): number {
  const line = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trim().startsWith('lo:'));
  return Number(line!.split(':')[1]!.trim().split(/\s+/)[8]);
}

const [kind, size, calmSeconds] = process.argv.slice(2);
const members = Number(size);
const group: Group = kind === 'serf' ? new SerfGroup() : new HeddleGroup();
await group.form(members);
// Until the joins are told out and forgotten.
await new Promise((resolve) => setTimeout(resolve, 15_000));
const before = { cpuMs: group.cpuMs(), bytes: loopbackBytes(), at: performance.now() };
await new Promise((resolve) => setTimeout(resolve, Number(calmSeconds) * 1000));
const elapsedMs = performance.now() - before.at;
const cpuMs = group.cpuMs() - before.cpuMs;
const bytes = loopbackBytes() - before.bytes;
const residentBytes = group.residentBytes();
const { processes } = group;

const joined = expectNews(members, 'join', 'fresh');
await group.join('fresh');
const join = await joined;
const told = expectNews(members + 1, 'event', 'deploy');
group.event('deploy');
const event = await told;
const failed = expectNews(members, 'failed', 'fresh');
await group.crash('fresh');
const failure = await failed;
await group.close();

const result: GroupResult = {
  kind: kind!,
  members,
  processes,
  cpuPercentPerMember: (100 * cpuMs) / elapsedMs / members,
  bytesPerSecondPerMember: bytes / (elapsedMs / 1000) / members,
  residentMbPerMember: residentBytes / 1024 / 1024 / members,
  joinMs: join.lastMs,
  eventMs: event.lastMs,
  firstFailureMs: failure.firstMs,
  failureMs: failure.lastMs,
};
process.stdout.write(JSON.stringify(result));
process.exit(0);
