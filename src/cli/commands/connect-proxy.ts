import {
  type AgentClientOptions,
  type ConnectProxyOptions,
  createLogger,
  findSidecar,
  type Logger,
  type LogLevel,
  logLevels,
  parseHostPort,
  parseUpstreamFlag,
  runConnectProxy,
  staticConfig,
  type UpstreamFlag,
} from '../../proxy/index.ts';
import { millisecond, parseDuration } from '../../std/duration.ts';
import { type Command, CommandFailure, type Invocation } from '../command.ts';
import type { ClientSettings } from '../http-client.ts';

export const connectProxy: Command = {
  usage: '[options]',
  description: `Starts a sidecar: a proxy that gives one service its identity in the mesh. Inbound connections are mutually authenticated and allowed by intentions before the service hears of them; outbound ones go to healthy instances of the upstreams. It runs until it is interrupted.

With a registration, which it follows:

    $ heddle connect proxy -sidecar-for web

With flags, for instance to reach a database in the mesh as the service web:

    $ heddle connect proxy -service web -upstream postgresql:8181`,
  groups: ['client', 'server'],
  flags: [
    {
      name: 'sidecar-for',
      type: 'string',
      help: 'The ID of a service instance on the local agent that this proxy should become a sidecar for. Its one connect-proxy registration configures the proxy. This can also be specified via the CONNECT_SIDECAR_FOR environment variable.',
    },
    {
      name: 'proxy-id',
      type: 'string',
      help: 'The ID of the proxy registration on the local agent to follow. This can also be specified via the CONNECT_PROXY_ID environment variable.',
    },
    { name: 'service', type: 'string', help: 'Name of the service this proxy is representing.' },
    {
      name: 'upstream',
      type: 'list',
      help: 'Upstream service to support, as name:port or name:address:port; the name may end in .service or .query. Can be given more than once.',
      check: (text) => {
        const parsed = parseUpstreamFlag(text);
        return parsed.ok ? null : parsed.error;
      },
    },
    {
      name: 'listen',
      type: 'string',
      help: 'Address and port to accept connections of the mesh on, for the service at -service-addr.',
    },
    {
      name: 'service-addr',
      type: 'string',
      help: 'Address and port of the local service to pass accepted connections to.',
    },
    {
      name: 'register',
      type: 'bool',
      help: 'Register this proxy with the local agent, and keep its check passing while it runs. Needs -service and -listen.',
    },
    { name: 'register-id', type: 'string', help: 'Suffix of the ID to register as, to tell several proxies apart.' },
    {
      name: 'log-level',
      type: 'string',
      default: 'INFO',
      help: 'Level of the log: TRACE, DEBUG, INFO, WARN or ERROR.',
    },
    { name: 'log-json', type: 'bool', help: 'Write the log as JSON.' },
    {
      name: 'drain-time',
      type: 'duration',
      default: '5s',
      help: 'How long open connections may go on after an interrupt. A second interrupt ends them at once.',
    },
    { name: 'pprof-addr', type: 'string', help: 'Accepted for compatibility: there is no Go profiler here.' },
  ],
  async run(invocation) {
    const { io, signal } = invocation;
    io.out('==> Heddle Connect proxy starting...');
    const options = await prepare(invocation);
    io.out('\n==> Log data will now stream in as it occurs:\n');
    await runConnectProxy(options, signal);
    io.out('==> Heddle Connect proxy shutdown');
    return 0;
  },
};

async function prepare(invocation: Invocation): Promise<ConnectProxyOptions> {
  const { flags, client } = invocation;
  const drain = parseDuration(flags.string('drain-time'));
  const common = {
    agent: agentOptions(client.settings),
    log: logger(invocation),
    drainMs: drain.ok ? drain.value / millisecond : 0,
  };
  const [given, environment] = [registrationAsked(invocation, 'flags'), registrationAsked(invocation, 'environment')];
  const asked = given ?? (flags.given('service') ? null : environment);
  return asked === null ? { ...common, ...fromFlags(invocation) } : fromAgent(invocation, common, asked);
}

interface Asked {
  readonly kind: 'proxy-id' | 'sidecar-for';
  readonly id: string;
}

/** Flags win over the environment, which wins over nothing. */
function registrationAsked({ flags, env }: Invocation, where: 'flags' | 'environment'): Asked | null {
  const read = (flag: Asked['kind'], variable: string): string =>
    where === 'flags' ? flags.string(flag) : (env[variable] ?? '');
  const id = read('proxy-id', 'CONNECT_PROXY_ID');
  if (id !== '') return { kind: 'proxy-id', id };
  const service = read('sidecar-for', 'CONNECT_SIDECAR_FOR');
  return service === '' ? null : { kind: 'sidecar-for', id: service };
}

async function fromAgent(
  { io }: Invocation,
  common: Omit<ConnectProxyOptions, 'from'>,
  asked: Asked,
): Promise<ConnectProxyOptions> {
  let proxyId = asked.id;
  if (asked.kind === 'sidecar-for') {
    const found = await findSidecar(common.agent, asked.id);
    if (!found.ok) throw new CommandFailure(`==> Error preparing configuration: ${found.error}`);
    proxyId = found.value;
  }
  io.out('    Configuration mode: Agent API');
  if (asked.kind === 'sidecar-for') io.out(`        Sidecar for ID: ${asked.id}`);
  io.out(`              Proxy ID: ${proxyId}`);
  return { ...common, from: { proxyId } };
}

function fromFlags({ flags, io }: Invocation): Pick<ConnectProxyOptions, 'from' | 'register'> {
  const fail = (text: string): never => {
    throw new CommandFailure(`==> Error preparing configuration: ${text}`);
  };
  const [service, listen, serviceAddress] = [
    flags.string('service'),
    flags.string('listen'),
    flags.string('service-addr'),
  ];
  if (service === '') fail('-service or -proxy-id must be specified so that proxy can configure itself.');
  if (listen !== '' && serviceAddress === '') {
    fail('-service-addr must be specified with -listen so the proxy knows the backend service address.');
  }
  if (flags.bool('register') && listen === '') fail('-register may only be specified with -service and -listen');
  const upstreams = upstreamsByName(flags.list('upstream'));
  const config = staticConfig({ service, listen, serviceAddress, upstreams });
  if (!config.ok) return fail(config.error);

  io.out('    Configuration mode: Flags');
  io.out(`               Service: ${service}`);
  for (const { name, address, port } of upstreams) io.out(`              Upstream: ${name} => ${address}:${port}`);
  io.out(`       Public listener: ${listen === '' ? 'Disabled' : `${listen} => ${serviceAddress}`}`);
  if (!flags.bool('register')) return { from: config.value };
  const at = parseHostPort(listen);
  if (!at.ok) return fail(at.error);
  return { from: config.value, register: { service, idSuffix: flags.string('register-id'), ...at.value } };
}

/** A name given twice: the last one wins. In the order of names. */
function upstreamsByName(words: readonly string[]): readonly UpstreamFlag[] {
  const byName = new Map<string, UpstreamFlag>();
  for (const word of words) {
    const parsed = parseUpstreamFlag(word);
    if (parsed.ok) byName.set(parsed.value.name, parsed.value);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function logger({ flags, io }: Invocation): Logger {
  const text = flags.string('log-level').toLowerCase();
  const level = text === 'err' ? 'error' : logLevels.find((known) => known === text);
  if (level === undefined) {
    const valid = 'TRACE DEBUG INFO WARN ERR ERROR';
    throw new CommandFailure(`Invalid log level: ${flags.string('log-level')}. Valid log levels are: [${valid}]`);
  }
  const known: LogLevel = level;
  return createLogger({
    name: 'proxy',
    level: known,
    json: flags.bool('log-json'),
    write: (line) => io.write(line),
    nowMs: Date.now,
  });
}

function agentOptions(settings: ClientSettings): AgentClientOptions {
  const optional = (text: string): string | undefined => (text === '' ? undefined : text);
  const bare = /^[a-z]+:\/\//i.test(settings.address) ? settings.address : `http://${settings.address}`;
  return {
    address: settings.tls ? bare.replace(/^http:/i, 'https:') : bare,
    token: optional(settings.token),
    datacenter: optional(settings.datacenter),
    caFile: optional(settings.caFile),
    caPath: optional(settings.caPath),
    certFile: optional(settings.certFile),
    keyFile: optional(settings.keyFile),
    serverName: optional(settings.serverName),
    basicAuth: optional(settings.basicAuth),
    verify: settings.verify,
  };
}
