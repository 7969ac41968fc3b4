/**
 * Servers in network namespaces of their own, joined by a bridge: links between two servers are cut by blackhole routes, in
 * one direction or both, while clients on the host still reach everyone. Needs root and iproute2.
 */
import { command } from './commands.ts';

export class TestNetwork {
  readonly #size: number;
  readonly #subnet: string;
  readonly #name: string;
  readonly #cuts = new Set<string>();

  private constructor(size: number, subnet: string, name: string) {
    this.#size = size;
    this.#subnet = subnet;
    this.#name = name;
  }

  static canRun(): boolean {
    return process.getuid?.() === 0;
  }

  /** Servers get `<subnet>.1` …; the host `<subnet>.254`. `name` is at most 8 letters and distinguishes runs. */
  static create(size: number, subnet: string, name: string): TestNetwork {
    const network = new TestNetwork(size, subnet, name);
    network.remove();
    command('ip', 'link', 'add', 'name', `${name}br`, 'type', 'bridge');
    command('ip', 'addr', 'add', `${subnet}.254/24`, 'dev', `${name}br`);
    command('ip', 'link', 'set', `${name}br`, 'up');
    for (let i = 0; i < size; i++) {
      const space = network.#space(i);
      command('ip', 'netns', 'add', space);
      command('ip', 'link', 'add', `${name}v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
      command('ip', 'link', 'set', `${name}v${i}`, 'master', `${name}br`, 'up');
      command('ip', '-n', space, 'addr', 'add', `${subnet}.${i + 1}/24`, 'dev', 'eth0');
      command('ip', '-n', space, 'link', 'set', 'eth0', 'up');
      command('ip', '-n', space, 'link', 'set', 'lo', 'up');
    }
    return network;
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

  /** Takes namespaces and bridge away; those that are not there are no failure. */
  remove(): void {
    const names = command('ip', 'netns', 'list');
    for (let i = 0; i < this.#size; i++) {
      if (names.split(/\s+/).includes(this.#space(i))) command('ip', 'netns', 'del', this.#space(i));
    }
    if (command('ip', '-br', 'link').includes(`${this.#name}br`)) command('ip', 'link', 'del', `${this.#name}br`);
  }

  #space(server: number): string {
    return `${this.#name}-${server}`;
  }
}
