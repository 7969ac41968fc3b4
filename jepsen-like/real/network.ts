/**
 * Agents in network namespaces of their own, joined by a bridge: links between two of them are cut by blackhole routes, in
 * one direction or both, while clients on the host still reach everyone. Needs root and iproute2.
 *
 * Where a proxy stands before the servers, bytes between two agents come from the proxy's host, which no route of theirs tells
 * apart from clients. Each way then has two parts: the route to the proxy is cut, and the proxy holds what comes back.
 *
 *     A ──dials──> proxy of B ──> B        A's route to B's proxy is cut, and the proxy passes nothing of A on
 *     A <──back─── proxy of A <── B dials  what A answers on B's connection: only the proxy can hold that
 */
import { spawn, spawnSync } from 'node:child_process';
import { command, commandExists } from './commands.ts';

/** What stands before the servers. */
export interface NetworkProxy {
  /** Where it stands before this one; undefined: nothing does. */
  addressOf(index: number): string | undefined;
  /** Nothing from one address to the other passes, until `join`. */
  part(from: string, to: string): void;
  join(from: string, to: string): void;
}

export class TestNetwork {
  readonly #subnet: string;
  readonly #name: string;
  readonly #cuts = new Set<string>();
  #proxy: NetworkProxy | undefined;

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

  /** Agents get `<subnet>.1` …; the host `<subnet>.254`. `name` is at most 8 letters and no other run's. */
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

  /** From now on, cuts hold on the ways through this one too. */
  attach(proxy: NetworkProxy): void {
    this.#proxy = proxy;
  }

  /** Where clients, and what the harness runs for them, stand. */
  get hostAddress(): string {
    return `${this.#subnet}.254`;
  }

  /** The command of an agent inside its namespace. */
  inside(index: number, words: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.#space(index), ...words];
  }

  /** Packets of `from` to `to` vanish. */
  dropTo(from: number, to: number): void {
    if (this.#cuts.has(`${from}>${to}`)) return;
    this.#cuts.add(`${from}>${to}`);
    for (const address of this.#addressesOf(to))
      command('ip', '-n', this.#space(from), 'route', 'add', 'blackhole', `${address}/32`);
    this.#proxy?.part(this.#address(from), this.#address(to));
  }

  /** Nothing passes between the two. */
  cut(a: number, b: number): void {
    this.dropTo(a, b);
    this.dropTo(b, a);
  }

  heal(): void {
    for (const cut of this.#cuts) {
      const [from, to] = cut.split('>').map(Number) as [number, number];
      for (const address of this.#addressesOf(to))
        command('ip', '-n', this.#space(from), 'route', 'del', 'blackhole', `${address}/32`);
      this.#proxy?.join(this.#address(from), this.#address(to));
    }
    this.#cuts.clear();
  }

  /** Tries to connect from one namespace to an address and port, as the agent there would. */
  reaches(from: number, address: string, port: number, limitMs: number): Promise<boolean> {
    const program = `
      const socket = require('net').connect({ host: '${address}', port: ${port} });
      socket.on('connect', () => process.exit(0)).on('error', () => process.exit(1));
      setTimeout(() => process.exit(1), ${limitMs});`;
    const [first, ...rest] = this.inside(from, [process.execPath, '-e', program]);
    return new Promise((resolve) => {
      spawn(first!, rest, { stdio: 'ignore' }).once('exit', (code) => resolve(code === 0));
    });
  }

  /** Addresses to which a namespace has an open TCP connection at this port. */
  remoteEnds(index: number, port: number): string[] {
    const [program, ...words] = this.inside(index, ['cat', '/proc/net/tcp']);
    const established = '01';
    const ends = command(program!, ...words)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === established)
      .map(([, , remote]) => remote!.split(':') as [string, string])
      .filter(([, hex]) => Number.parseInt(hex, 16) === port)
      // The kernel prints an address as one number, in the order of the machine's bytes.
      .map(([hex]) => Buffer.from(hex, 'hex').reverse().join('.'));
    return [...new Set(ends)];
  }

  remove(): void {
    TestNetwork.clear(this.#name);
  }

  #address(index: number): string {
    return `${this.#subnet}.${index + 1}`;
  }

  /** All at which the others may dial it. */
  #addressesOf(index: number): readonly string[] {
    const proxied = this.#proxy?.addressOf(index);
    return proxied === undefined ? [this.#address(index)] : [this.#address(index), proxied];
  }

  #space(index: number): string {
    return `${this.#name}-${index}`;
  }
}
