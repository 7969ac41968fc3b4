/**
 * Two hosts of the mesh beside the servers, each with a client agent that runs a sidecar: `web` calls `db`.
 *
 *     harness ──> web's upstream, on c0 ══ mutual TLS ══> db's sidecar, on c1 ──> echo, in the harness
 *
 * The echo notes what it hears, so a connection counts as carried when the application heard of it, whatever came back.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from './cluster.ts';
import { DeafDoor } from './deaf-door.ts';
import { HeddleProcess } from './heddle-process.ts';

export interface HostsOptions {
  readonly cluster: ProcessCluster;
  /** Where the agents listen. */
  readonly addresses: readonly [string, string];
  /** Where the echo listens: reached from both hosts. */
  readonly harnessAddress: string;
  readonly wrap: (host: number, command: readonly string[]) => readonly string[];
  /** A fault planted: the destination's sidecar never hears of a change of intentions. */
  readonly deaf?: boolean;
}

export const source = 'web';
export const destination = 'db';
/** Index of the host of each. */
const hostOf = { [source]: 0, [destination]: 1 } as const;
const upstreamPort = 9191;
const publicPort = 21_000;
const attemptMs = 3_000;

export class MeshHosts {
  readonly complaints: string[] = [];
  readonly #options: HostsOptions;
  readonly #agents: readonly HeddleProcess[];
  #deaf: { readonly door: DeafDoor; readonly sidecar: HeddleProcess } | undefined;
  readonly #echo: Server;
  readonly #heard = new Set<string>();

  private constructor(options: HostsOptions) {
    this.#options = options;
    const { cluster, wrap } = options;
    const joins = Array.from({ length: cluster.size }, (_, server) => `-retry-join=${cluster.advertised(server)}`);
    this.#agents = options.addresses.map(
      (address, host) =>
        new HeddleProcess({
          name: `c${host}`,
          title: `host ${host}`,
          folder: cluster.folder,
          words: [
            'agent',
            ...[`-node=c${host}`, `-bind=${address}`, `-client=${address}`, '-retry-interval=1s'],
            ...[`-data-dir=${cluster.folder}/c${host}`, ...joins],
          ],
          wrap: (words) => wrap(host, words),
          onUnexpectedEnd: (text) => this.complaints.push(text),
        }),
    );
    this.#echo = createServer((socket) => this.#serve(socket));
  }

  /** Starts both, registers the services, and waits until a connection passes. `made` hears of it before its first process. */
  static async start(options: HostsOptions, made: (hosts: MeshHosts) => void): Promise<MeshHosts> {
    const hosts = new MeshHosts(options);
    made(hosts);
    hosts.#echo.listen(0, options.harnessAddress);
    await once(hosts.#echo, 'listening');
    for (const agent of hosts.#agents) agent.launch();
    await hosts.#register();
    if (options.deaf) await hosts.#plantDeafSidecar();
    const end = performance.now() + 60_000;
    for (let n = 0; (await hosts.attempt(`first-${n}`)) !== 'carried'; n++) {
      if (performance.now() > end)
        throw new Error(`no connection passes the sidecars. Logs: ${options.cluster.folder}`);
      await delay(50);
    }
    return hosts;
  }

  /** The agent whose sidecar decides. */
  get destinationAgent(): HeddleProcess {
    return this.#agents[hostOf[destination]]!;
  }

  /** Index of that host among the hosts. */
  get destinationHost(): number {
    return hostOf[destination];
  }

  /** Texts that the application heard, of connections that were not answered too. */
  get heard(): ReadonlySet<string> {
    return this.#heard;
  }

  /** Asks the destination's agent. */
  async ask(path: string, timeoutMs: number): Promise<Response> {
    const address = this.#options.addresses[hostOf[destination]];
    return fetch(`http://${address}:8500${path}`, { signal: AbortSignal.timeout(timeoutMs) });
  }

  /** A new connection from `web` to `db` that says `text`, one word. */
  async attempt(text: string): Promise<'carried' | 'refused' | 'unknown'> {
    const open = await this.open(text);
    if (typeof open === 'string') return open;
    open.end();
    return 'carried';
  }

  /** A new connection that stays, once it has carried `text` there and back. */
  async open(text: string): Promise<OpenConnection | 'refused' | 'unknown'> {
    const socket = connect({ host: this.#options.addresses[hostOf[source]], port: upstreamPort });
    const connection = new OpenConnection(socket);
    const outcome = await connection.say(text);
    if (outcome === 'carried') return connection;
    connection.end();
    return outcome;
  }

  launch(): void {
    for (const agent of this.#agents) agent.launch();
  }

  complainOfCrashes(): void {
    for (const agent of this.#agents)
      for (const crash of agent.crashes()) this.complaints.push(`${agent.title} crashed: ${crash}`);
  }

  stop(): void {
    for (const agent of this.#agents) agent.drop();
    this.#deaf?.sidecar.drop();
    this.#deaf?.door.stop();
    this.#echo.close();
  }

  async #plantDeafSidecar(): Promise<void> {
    const { cluster, addresses, harnessAddress, wrap } = this.#options;
    const host = hostOf[destination];
    const door = await DeafDoor.open(harnessAddress, `http://${addresses[host]}:8500`);
    const sidecar = new HeddleProcess({
      name: 'deaf',
      title: 'the deaf sidecar',
      folder: cluster.folder,
      words: ['connect', 'proxy', `-sidecar-for=${destination}`, `-http-addr=${door.address}`],
      wrap: (words) => wrap(host, words),
      onUnexpectedEnd: (text) => this.complaints.push(text),
    });
    this.#deaf = { door, sidecar };
    sidecar.launch();
  }

  async #register(): Promise<void> {
    const { harnessAddress } = this.#options;
    const { port } = this.#echo.address() as AddressInfo;
    const [webAddress, dbAddress] = this.#options.addresses;
    const upstream = { DestinationName: destination, LocalBindAddress: webAddress, LocalBindPort: upstreamPort };
    const managed = { Config: { managed: true }, LocalServiceAddress: harnessAddress };
    // One that the agent does not run itself: where it listens is looked at, and not where its application does.
    const Checks = [{ Name: 'Listening', TCP: `${dbAddress}:${publicPort}`, Interval: '1s' }];
    const deaf = { Port: publicPort, Checks, Proxy: { ...managed, Config: {} } };
    const own = this.#options.deaf ? deaf : { Proxy: managed };
    await this.#put(hostOf[destination], { Name: destination, Port: port, Connect: { SidecarService: own } });
    const calling = { Proxy: { ...managed, Upstreams: [upstream] } };
    await this.#put(hostOf[source], { Name: source, Port: 1, Connect: { SidecarService: calling } });
  }

  async #put(host: number, body: object): Promise<void> {
    const url = `http://${this.#options.addresses[host]}:8500/v1/agent/service/register`;
    const end = performance.now() + 30_000;
    for (;;) {
      try {
        const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
        if (answer.status === 200) return;
        throw new Error(`${answer.status} ${await answer.text()}`);
      } catch (error) {
        if (performance.now() > end) throw new Error(`host ${host} takes no service: ${String(error)}`);
        await delay(50);
      }
    }
  }

  #serve(socket: Socket): void {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => undefined); // cut or reset: what it said before was heard
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#heard.add(line);
        socket.write(`${line}\n`);
      }
    });
  }
}

/** A connection through both sidecars that says a word and waits for its echo. */
export class OpenConnection {
  readonly #socket: Socket;
  #rest = '';
  #over = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    const over = (): void => {
      this.#over = true;
      this.#wake();
    };
    socket.on('error', over).on('end', over).on('close', over);
    socket.on('data', (chunk: string) => {
      this.#rest += chunk;
      this.#wake();
    });
  }

  async say(text: string): Promise<'carried' | 'refused' | 'unknown'> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, attemptMs);
    this.#rest = '';
    if (!this.#over) this.#socket.write(`${text}\n`);
    try {
      for (;;) {
        if (this.#rest === `${text}\n`) return 'carried';
        if (this.#over) return 'refused';
        if (late) return 'unknown';
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#over = true;
    this.#socket.destroy();
  }
}
