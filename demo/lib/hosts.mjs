// Five hosts on one machine: each an agent with a loopback address, a data directory and a log of its own. Where the system has
// only 127.0.0.1 (macOS, unless told otherwise), the hosts share it and differ by their ports.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { addressesTaken, movePorts } from './ports.mjs';
import { treeOf } from './processes.mjs';

const names = ['server-1', 'server-2', 'server-3', 'host-a', 'host-b'];
/** Far enough from each other for the ports of an agent and the sidecars on it. */
const portStep = 2_000;

const basePorts = { http: 8500, server: 8300, serfLan: 8301, dns: 8600, sidecarMin: 21_000 };

class Host {
  /** The agent, the newest one if it was started again. */
  agent = null;
  /** What runs on this host besides the agent. */
  services = [];
  #frozen = false;

  constructor(stage, name, address, ports) {
    this.stage = stage;
    this.name = name;
    this.address = address;
    this.ports = ports;
    this.folder = join(stage.folder, name);
    this.configFolder = join(this.folder, 'config');
    mkdirSync(this.configFolder, { recursive: true });
  }

  get api() {
    return `http://${this.address}:${this.ports.http}`;
  }

  get httpAddress() {
    return `${this.address}:${this.ports.http}`;
  }

  get gossipAddress() {
    return `${this.address}:${this.ports.serfLan}`;
  }

  /** Puts definition files where the agent reads them. */
  install(from) {
    const source = join(this.stage.demo, from);
    for (const file of readdirSync(source)) {
      const text = readFileSync(join(source, file), 'utf8');
      writeFileSync(join(this.configFolder, file), movePorts(text, this.stage.offset));
    }
  }

  start(words) {
    const { ports } = this;
    const all = [
      ...['agent', `-node=${this.name}`, `-bind=${this.address}`, `-client=${this.address}`],
      ...[`-data-dir=${join(this.folder, 'data')}`, `-config-dir=${this.configFolder}`],
      ...[`-http-port=${ports.http}`, `-server-port=${ports.server}`, `-serf-lan-port=${ports.serfLan}`],
      ...['-serf-wan-port=-1', `-dns-port=${ports.dns}`],
      `-hcl=ports { sidecar_min_port = ${ports.sidecarMin} sidecar_max_port = ${ports.sidecarMin + 255} }`,
      ...words,
    ];
    this.words = words;
    this.agent = this.stage.start(this.name, all);
    return this.agent;
  }

  restart() {
    return this.start(this.words);
  }

  async kill() {
    this.agent.child.kill('SIGKILL');
    await this.agent.exited;
  }

  /** Stops every process of the host, as a frozen machine does. */
  freeze() {
    this.#frozen = true;
    this.#signal('SIGSTOP');
  }

  thaw() {
    this.#frozen = false;
    this.#signal('SIGCONT');
  }

  /** A process that stands still does not hear that it should end. */
  thawIfFrozen() {
    if (this.#frozen) this.thaw();
  }

  #signal(signal) {
    for (const { pid } of [this.agent, ...this.services]) {
      for (const each of treeOf(pid)) process.kill(each, signal);
    }
  }

  async get(path) {
    const response = await fetch(`${this.api}${path}`, { signal: AbortSignal.timeout(2_000) });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** The three servers and the two hosts, none of them started. */
export async function fiveHosts(stage) {
  const shared = !(await everyAddressWorks());
  const hosts = names.map((name, i) => {
    const move = stage.offset + (shared ? (i + 1) * portStep : 0);
    const ports = Object.fromEntries(Object.entries(basePorts).map(([key, port]) => [key, port + move]));
    return new Host(stage, name, shared ? '127.0.0.1' : `127.0.0.${i < 3 ? 11 + i : 18 + i}`, ports);
  });
  return { shared, servers: hosts.slice(0, 3), a: hosts[3], b: hosts[4], all: hosts };
}

/** Throws when the hosts cannot have their ports. */
export async function refuseTakenPorts({ all }) {
  const taken = await addressesTaken(
    all.flatMap(({ name, address, ports }) => [
      [address, ports.http, `${name}: HTTP API`],
      [address, ports.server, `${name}: server RPC`],
      [address, ports.serfLan, `${name}: gossip`],
    ]),
  );
  if (taken.length === 0) return;
  const list = taken.map(([address, port, purpose]) => `${address}:${port} (${purpose})`).join(', ');
  throw new Error(`in use: ${list}; move all ports of the demo: npm run demo -- --port-offset 1000`);
}

function everyAddressWorks() {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(0, '127.0.0.22', () => server.close(() => resolve(true)));
  });
}
