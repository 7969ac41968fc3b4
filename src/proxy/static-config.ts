/** A proxy configured by flags: `-service`, `-listen`, `-service-addr`, `-upstream name[.service|.query]:[addr:]port`. */
import { err, ok, type Result } from '../std/result.ts';
import { preparedQueryRefusal, upstreamKey } from './agent-records.ts';
import { readProxyOptions, readUpstreamOptions } from './options.ts';
import type { ListenAddress, ProxyConfig } from './snapshot.ts';

export interface UpstreamFlag {
  readonly name: string;
  readonly type: 'service' | 'query';
  /** As typed; '' stands for loopback. */
  readonly address: string;
  readonly port: number;
}

/** The error is the text after `invalid value "x" for flag -upstream: `. */
export function parseUpstreamFlag(text: string): Result<UpstreamFlag, string> {
  const colon = text.indexOf(':');
  if (colon < 0) return err(`Upstream value should be name:addr in ${JSON.stringify(text)}`);
  const [before, at] = [text.slice(0, colon), text.slice(colon + 1)];
  const dot = before.lastIndexOf('.');
  const type = dot < 0 ? '' : before.slice(dot + 1);
  if (type !== '' && type !== 'service' && type !== 'query') {
    return err(`Upstream type must be blank, 'service', or 'query'. Got: ${JSON.stringify(type)}`);
  }
  const address = parseHostPort(at.includes(':') ? at : `:${at}`);
  if (!address.ok) return err(address.error);
  const name = dot < 0 ? before : before.slice(0, dot);
  if (name === '') return err(`Upstream value should be name:addr in ${JSON.stringify(text)}`);
  return ok({ name, type: type === 'query' ? 'query' : 'service', ...address.value });
}

/** `host:port` or `:port`; the port as Go writes integers (`0x…` too). */
export function parseHostPort(text: string): Result<{ readonly address: string; readonly port: number }, string> {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return err(`address ${text}: missing port in address`);
  const digits = text.slice(colon + 1);
  const port = /^(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)$/.test(digits) ? goInteger(digits) : Number.NaN;
  if (!(port >= 1 && port <= 65_535)) return err(`${JSON.stringify(digits)} is not a port from 1 to 65535`);
  return ok({ address: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port });
}

function goInteger(digits: string): number {
  return /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
}

export interface StaticFlags {
  readonly service: string;
  /** '' = no public listener. */
  readonly listen: string;
  readonly serviceAddress: string;
  readonly upstreams: readonly UpstreamFlag[];
}

export interface StaticConfig {
  readonly config: ProxyConfig;
  /** Upstreams that cannot be served, with the reason. */
  readonly refused: readonly { readonly upstream: string; readonly reason: string }[];
}

export function staticConfig(flags: StaticFlags): Result<StaticConfig, string> {
  const publicListener = flags.listen === '' ? ok(null) : tcp(flags.listen, '0.0.0.0');
  if (!publicListener.ok) return err(`invalid -listen: ${publicListener.error}`);
  const application = flags.serviceAddress === '' ? ok(null) : tcp(flags.serviceAddress, '127.0.0.1');
  if (!application.ok) return err(`invalid -service-addr: ${application.error}`);
  const [options, upstreamOptions] = [readProxyOptions({}), readUpstreamOptions({})];
  if (!options.ok || !upstreamOptions.ok) return err('the default options are not valid');
  const served = flags.upstreams.filter(({ type }) => type === 'service');
  return ok({
    config: {
      service: flags.service,
      publicListener: publicListener.value,
      application: application.value,
      options: options.value,
      upstreams: served.map(({ name, address, port }) => ({
        key: upstreamKey(name, ''),
        destinationType: 'service',
        destinationName: name,
        datacenter: '',
        listen: { kind: 'tcp', address: address || '127.0.0.1', port },
        ...upstreamOptions.value,
      })),
    },
    refused: flags.upstreams
      .filter(({ type }) => type === 'query')
      .map(({ name }) => ({ upstream: name, reason: `${preparedQueryRefusal} Can't start upstream.` })),
  });
}

function tcp(text: string, anyAddress: string): Result<ListenAddress, string> {
  const parsed = parseHostPort(text);
  if (!parsed.ok) return parsed;
  return ok({ kind: 'tcp', address: parsed.value.address || anyAddress, port: parsed.value.port });
}
