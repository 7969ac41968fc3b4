/**
 * The oldest way to ask for a sidecar, `connect { proxy { … } }`, in today's form, `connect { sidecar_service { … } }`.
 *
 *     {"service": "web", "connect": {"proxy": {"config": {"upstreams": […]}}}}
 *     {"service": {"name": "web", "connect": {"proxy": {"config": {"upstreams": […]}}}}}
 *
 * In that form the agent always ran the proxy itself, so the sidecar is a managed one. Two things of it cannot be
 * honoured, a command of one's own and a proxy written as a script, and are refused.
 */
import { isObject } from '../config/decode.ts';

export interface Translated {
  readonly input: unknown;
  /** What to tell the operator. */
  readonly notices: readonly string[];
  readonly problems: readonly string[];
}

/** Translates one whole file: the form with the service's name beside `connect`, then every service in it. */
export function translateFile(input: unknown): Translated {
  if (!isObject(input)) return { input, notices: [], problems: [] };
  const notices: string[] = [];
  const problems: string[] = [];
  let file = input;
  const serviceKey = find(file, 'service');
  if (serviceKey !== undefined && typeof file[serviceKey] === 'string') file = withoutOutside(file, serviceKey);
  const out = { ...file };
  for (const name of ['service', 'services']) {
    const key = find(out, name);
    if (key === undefined) continue;
    const value = out[key];
    out[key] = Array.isArray(value)
      ? value.map((item) => translateService(item, notices, problems))
      : translateService(value, notices, problems);
  }
  return { input: out, notices, problems };
}

const find = (object: Record<string, unknown>, name: string): string | undefined =>
  Object.keys(object).find((key) => key.toLowerCase() === name);

/** `{"service": "web", "connect": {"proxy": …}}`: the proxy belongs to the service; the rest of connect is the agent's. */
function withoutOutside(file: Record<string, unknown>, serviceKey: string): Record<string, unknown> {
  const service: Record<string, unknown> = { name: file[serviceKey] };
  const connectKey = find(file, 'connect');
  const connect = connectKey === undefined ? undefined : file[connectKey];
  if (connectKey === undefined || !isObject(connect)) return { ...file, [serviceKey]: service };
  const proxyKey = find(connect, 'proxy');
  if (proxyKey === undefined) return { ...file, [serviceKey]: service };
  const { [proxyKey]: proxy, ...agentConnect } = connect;
  const { [connectKey]: _, ...rest } = file;
  return {
    ...rest,
    [serviceKey]: { ...service, connect: { proxy } },
    ...(Object.keys(agentConnect).length > 0 ? { [connectKey]: agentConnect } : {}),
  };
}

function translateService(service: unknown, notices: string[], problems: string[]): unknown {
  if (!isObject(service)) return service;
  const connectKey = find(service, 'connect');
  const connect = connectKey === undefined ? undefined : service[connectKey];
  if (connectKey === undefined || !isObject(connect)) return service;
  const proxyKey = find(connect, 'proxy');
  if (proxyKey === undefined) return service;
  const { [proxyKey]: given, ...others } = connect;
  const nameKey = find(service, 'name');
  const name = String((nameKey === undefined ? undefined : service[nameKey]) ?? '');
  if (find(connect, 'sidecar_service') !== undefined) {
    problems.push(`service "${name}": connect.proxy and connect.sidecar_service cannot both be specified`);
    return { ...service, [connectKey]: others };
  }
  notices.push(
    `service "${name}": 'connect.proxy' is the old form of managed proxies. It is read as 'connect.sidecar_service' run by this agent; write connect { sidecar_service { proxy { config { managed = true } } } } instead.`,
  );
  return { ...service, [connectKey]: { ...others, sidecar_service: sidecarOf(name, given, problems) } };
}

/** Keys of the old proxy and its `config` that have a name of their own today. */
function sidecarOf(name: string, given: unknown, problems: string[]): Record<string, unknown> {
  const proxy = isObject(given) ? { ...given } : {};
  const config = isObject(proxy.config) ? { ...proxy.config } : {};
  if (proxy.exec_mode !== undefined && proxy.exec_mode !== 'daemon') {
    problems.push(`service "${name}": connect.proxy.exec_mode must be "daemon": scripts are not run`);
  }
  if (proxy.command !== undefined) {
    problems.push(`service "${name}": connect.proxy.command is not supported: the built-in proxy is run`);
  }
  const take = (key: string): unknown => {
    const value = config[key];
    delete config[key];
    return value;
  };
  const upstreams = [...asList(take('upstreams')), ...asList(proxy.upstreams)];
  const local = splitAddress(take('local_service_address'));
  const port = take('bind_port');
  const address = take('bind_address');
  const { config: _config, upstreams: _upstreams, exec_mode: _mode, command: _command, ...unknown } = proxy;
  return {
    ...unknown,
    ...(port === undefined ? {} : { port }),
    ...(address === undefined ? {} : { address }),
    proxy: {
      ...(local.address === undefined ? {} : { local_service_address: local.address }),
      ...(local.port === undefined ? {} : { local_service_port: local.port }),
      ...(upstreams.length === 0 ? {} : { upstreams }),
      config: { ...config, managed: true },
    },
  };
}

const asList = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** `127.0.0.1:8080` was one word then and is two fields now. */
function splitAddress(value: unknown): { address?: string; port?: number } {
  if (typeof value !== 'string') return {};
  const parts = /^\[?(.*?)\]?:(\d+)$/.exec(value);
  return parts === null ? { address: value } : { address: parts[1]!, port: Number(parts[2]) };
}
