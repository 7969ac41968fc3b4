/**
 * `connect proxy` without the command line around it: finds the registration (or takes flags), runs one sidecar until it is
 * told to stop, drains.
 */
import type { Clock } from '../std/clock.ts';
import { err, ok, type Result } from '../std/result.ts';
import { AgentClient, type AgentClientOptions } from './agent-client.ts';
import { systemClock } from './clock.ts';
import type { Logger } from './log.ts';
import { isObject } from './options.ts';
import { Registrar, type RegistrarOptions } from './registrar.ts';
import { startSidecar } from './sidecar.ts';
import type { StaticConfig } from './static-config.ts';

export interface ConnectProxyOptions {
  readonly agent: AgentClientOptions;
  readonly from: { readonly proxyId: string } | StaticConfig;
  /** Register the statically configured proxy, so that others find it. */
  readonly register?: RegistrarOptions | undefined;
  /** How long open connections may go on after the signal. */
  readonly drainMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Runs until `signal` aborts; resolves when everything is closed. */
export async function runConnectProxy(options: ConnectProxyOptions, signal: AbortSignal): Promise<void> {
  const { agent, from, log, clock = systemClock } = options;
  const client = new AgentClient(agent);
  if ('refused' in from) for (const refused of from.refused) log.error('upstream refused', { ...refused });
  const sidecar = startSidecar({ agent, from }, { log, clock, client });
  const registrar = options.register && new Registrar(options.register, { client, clock, log });
  registrar?.start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  log.info(registrar === undefined ? 'stop request received' : 'stop request received, deregistering');
  // Others must stop finding us before we stop accepting.
  await registrar?.stop();
  await sidecar.stop(options.drainMs);
  client.close();
}

/** The id of the one sidecar registered for a service; the error is for people. Throws when the agent cannot be asked. */
export async function findSidecar(agent: AgentClientOptions, serviceId: string): Promise<Result<string, string>> {
  const client = new AgentClient(agent);
  try {
    const answer = await client.ask('GET', '/v1/agent/services');
    const services: unknown = JSON.parse(answer.body);
    const ids = Object.entries(isObject(services) ? services : {})
      .filter(([, service]) => isSidecarOf(service, serviceId))
      .map(([id]) => id)
      .sort();
    const [id] = ids;
    if (id === undefined) return err(`No sidecar proxy registered for ${serviceId}`);
    if (ids.length === 1) return ok(id);
    return err(
      `More than one sidecar proxy registered for ${serviceId}.\n    Start proxy with -proxy-id and one of the following IDs: ${ids.join(', ')}`,
    );
  } finally {
    client.close();
  }
}

function isSidecarOf(service: unknown, serviceId: string): boolean {
  if (!isObject(service) || service.Kind !== 'connect-proxy' || !isObject(service.Proxy)) return false;
  return String(service.Proxy.DestinationServiceID ?? '').toLowerCase() === serviceId.toLowerCase();
}
