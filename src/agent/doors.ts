/** Opens the HTTP door on every address of the configuration, with what the configuration says of it. */
import { chmodSync, chownSync, lstatSync, rmSync } from 'node:fs';
import {
  ConnectionLimit,
  Door,
  type DoorLog,
  doorDefaults,
  type FinishedExchange,
  type Route,
  type RunningServer,
  serveHttp,
} from '../api/http/index.ts';
import { type AgentConfig, ConfigError, type Listen } from './config/index.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface OpenDoors {
  /** `http://127.0.0.1:8500`, `unix:///path`; in the order of the configuration. */
  readonly addresses: readonly string[];
  /** Open ones, of all doors. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Rejects with a ConfigError that names the address when one cannot be opened; then none stays open. */
export async function openHttp(
  config: AgentConfig,
  routes: readonly Route[],
  parts: { readonly log: Logger; readonly metrics: Metrics; readonly watchRequests: boolean },
): Promise<OpenDoors> {
  const door = new Door(routes, doorOptions(config), doorLog(parts));
  const limit = new ConnectionLimit(config.settings.limits.http_max_conns_per_client);
  const servers: RunningServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  const addresses: string[] = [];
  for (const listen of config.http) {
    try {
      const server = await open(door, limit, listen, config);
      servers.push(server);
      addresses.push(listen.kind === 'unix' ? `unix://${listen.path}` : url(listen.address, server.address.port));
    } catch (error) {
      await close();
      throw new ConfigError(`Failed to start HTTP server: ${openProblem(listen, error as NodeJS.ErrnoException)}`);
    }
  }
  return {
    addresses,
    get connections() {
      return servers.reduce((sum, server) => sum + server.connections, 0);
    },
    close,
  };
}

function doorOptions(config: AgentConfig) {
  const { settings } = config;
  return {
    defaultAclPolicy: config.defaultPolicy,
    translateWanAddresses: settings.translate_wan_addrs,
    responseHeaders: settings.http_config.response_headers,
    blockEndpoints: settings.http_config.block_endpoints,
    allowWriteFrom: settings.http_config.allow_write_http_from,
    allowUnprintablePaths: settings.disable_http_unprintable_char_filter,
    pretty: config.dev,
    bodyBytesHeldMax: doorDefaults.bodyBytesHeldMax,
  };
}

async function open(door: Door, limit: ConnectionLimit, listen: Listen, config: AgentConfig): Promise<RunningServer> {
  if (listen.kind === 'tcp') return serveHttp(door, limit, { host: listen.address, port: listen.port });
  // A socket that an earlier process left behind; anything else at that path is somebody's file.
  if (lstatSync(listen.path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(listen.path);
  const server = await serveHttp(door, limit, { host: '', port: 0, path: listen.path });
  const { user, group, mode } = config.settings.unix_sockets;
  chmodSync(listen.path, Number.parseInt(mode === '' ? '0600' : mode, 8));
  if (/^\d+$/.test(user) || /^\d+$/.test(group)) {
    chownSync(listen.path, Number(user || process.getuid!()), Number(group || process.getgid!()));
  }
  return server;
}

const url = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

function openProblem(listen: Listen, error: NodeJS.ErrnoException): string {
  const place = listen.kind === 'unix' ? listen.path : `${listen.address}:${listen.port}`;
  if (error.code === 'EADDRINUSE') {
    return `listen ${listen.kind} ${place}: bind: address already in use (is another agent running? choose another port with -http-port)`;
  }
  if (error.code === 'EADDRNOTAVAIL') return `listen ${listen.kind} ${place}: bind: cannot assign requested address`;
  if (error.code === 'EACCES') return `listen ${listen.kind} ${place}: bind: permission denied`;
  return `listen ${listen.kind} ${place}: ${error.message}`;
}

function doorLog(parts: { log: Logger; metrics: Metrics; watchRequests: boolean }): DoorLog {
  const { log, metrics } = parts;
  return {
    error: (fields, message) => log.error(message, fields),
    debug: (fields, message) => log.trace(message, fields),
    ...(parts.watchRequests ? { finished: (exchange) => finished(exchange, log, metrics) } : {}),
  };
}

function finished({ method, url: asked, from, durationMs }: FinishedExchange, log: Logger, metrics: Metrics): void {
  const latency = durationMs < 1 ? `${(durationMs * 1000).toFixed(3)}µs` : `${durationMs.toFixed(6)}ms`;
  log.debug('Request finished', { method, url: asked, from, latency });
  metrics.sample('api.http', durationMs, { method, path: pathLabel(asked) });
}

/** The family alone: `v1_catalog_service_`; ids and names would make a label of their own each. */
function pathLabel(asked: string): string {
  const words = asked.split('?')[0]!.split('/').slice(1, 4);
  return words
    .join('_')
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .slice(0, 64);
}
