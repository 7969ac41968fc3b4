/**
 * Servers in network namespaces of their own, joined by a bridge: links between two servers are cut by blackhole routes, in
 * one direction or both, while clients on the host still reach everyone. Needs root and iproute2.
 */
import { spawnSync } from 'node:child_process';
import { command, commandExists } from './commands.ts';

export class TestNetwork {
  readonly #subnet: string;
  readonly #name: string;
  readonly #cuts = new Set<string>();

  private constructor(subnet: string, name: string) {
    this.#subnet = subnet;
    this.#name = name;
  }

  /** Why there can be no namespaces here, or undefined. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    if (!commandExists('ip')) return 'network namespaces need iproute2';
    return undefined;
  }

  /** Servers get `<subnet>.1` …; the host `<subnet>.254`. `name` is at most 8 letters and no other run's. */
  static create(size: number, subnet: string, name: string): TestNetwork {
    const network = new TestNetwork(subnet, name);
    network.remove();
    try {
      network.#build(size);
    } catch (error) {
      network.remove();
      throw error;
    }
    return network;
  }

  /** Takes namespaces and bridge of that name away; those that are not there are no failure. */
  static clear(name: string): void {
    for (const space of command('ip', 'netns', 'list').split(/\s+/)) {
      if (space.startsWith(`${name}-`)) command('ip', 'netns', 'del', space);
    }
    // A link whose other end was in a namespace goes with it, but later: by name, so that it is gone now.
    const ours = new RegExp(`^(${name}br|${name}v[0-9]+)[@ ]`);
    for (const line of command('ip', '-br', 'link').split('\n')) {
      const link = ours.exec(line)?.[1];
      if (link !== undefined) spawnSync('ip', ['link', 'del', link], { stdio: 'ignore' });
    }
  }

  #build(size: number): void {
    const bridge = `${this.#name}br`;
    command('ip', 'link', 'add', 'name', bridge, 'type', 'bridge');
    command('ip', 'addr', 'add', `${this.#subnet}.254/24`, 'dev', bridge);
    command('ip', 'link', 'set', bridge, 'up');
    for (let i = 0; i < size; i++) {
      const space = this.#space(i);
      command('ip', 'netns', 'add', space);
      command('ip', 'link', 'add', `${this.#name}v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
      command('ip', 'link', 'set', `${this.#name}v${i}`, 'master', bridge, 'up');
      command('ip', '-n', space, 'addr', 'add', `${this.#subnet}.${i + 1}/24`, 'dev', 'eth0');
      command('ip', '-n', space, 'link', 'set', 'eth0', 'up');
      command('ip', '-n', space, 'link', 'set', 'lo', 'up');
    }
  }

  /** Gives the host one more address on the bridge, for what stands between the servers. */
  addHostAddress(address: string): void {
    command('ip', 'addr', 'add', `${address}/24`, 'dev', `${this.#name}br`);
  }

  /** The command of a server inside its namespace. */
  inside(server: number, words: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.#space(server), ...words];
  }

  /** Packets of `from` to `to` vanish. */
  dropTo(from: number, to: number): void {
    if (this.#cuts.has(`${from}>${to}`)) return;
    this.#cuts.add(`${from}>${to}`);
    command('ip', '-n', this.#space(from), 'route', 'add', 'blackhole', `${this.#subnet}.${to + 1}/32`);
  }

  /** Nothing passes between the two. */
  cut(a: number, b: number): void {
    this.dropTo(a, b);
    this.dropTo(b, a);
  }

  heal(): void {
    for (const cut of this.#cuts) {
      const [from, to] = cut.split('>').map(Number) as [number, number];
      command('ip', '-n', this.#space(from), 'route', 'del', 'blackhole', `${this.#subnet}.${to + 1}/32`);
    }
    this.#cuts.clear();
  }

  remove(): void {
    TestNetwork.clear(this.#name);
  }

  #space(server: number): string {
    return `${this.#name}-${server}`;
  }
}
