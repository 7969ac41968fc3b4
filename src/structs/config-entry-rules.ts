/** The form in which each kind of config entry is stored, and what makes one valid: the first fault, in words. */
import { utf8Length } from '../std/utf8.ts';
import {
  type ConfigEntry,
  proxyDefaultsName,
  type ServiceDefaults,
  type UpstreamConfig,
  type UpstreamLimits,
} from './config-entry.ts';
import { errorList } from './error-list.ts';
import { foldDestination, wildcard } from './intention-source.ts';
import { metaErrors } from './meta-rules.ts';
import { nameBytesMax, normalizeServiceIntentions, serviceIntentionsFault } from './service-intentions-rules.ts';

/** The parts of an entry's storage key: kind and name without letter case. */
export function configEntryKey(kind: string, name: string): readonly [string, string] {
  return [kind.toLowerCase(), foldDestination(kind === 'proxy-defaults' ? proxyDefaultsName : name)];
}

export function normalizeConfigEntry(entry: ConfigEntry): ConfigEntry {
  switch (entry.Kind) {
    case 'service-intentions':
      return normalizeServiceIntentions(entry, 'api');
    case 'service-defaults':
      return { ...entry, Protocol: entry.Protocol.toLowerCase(), UpstreamConfig: normalizeUpstreams(entry) };
    case 'proxy-defaults':
      return { ...entry, Name: proxyDefaultsName };
  }
}

/** What is wrong with a normalised entry, whatever else is stored; null when nothing is. */
export function configEntryFault(entry: ConfigEntry): string | null {
  switch (entry.Kind) {
    case 'service-intentions':
      return serviceIntentionsFault(entry, 'api');
    case 'service-defaults':
      return serviceDefaultsFault(entry);
    case 'proxy-defaults':
      return metaFault(entry);
  }
}

function normalizeUpstreams(entry: ServiceDefaults): ServiceDefaults['UpstreamConfig'] {
  const config = entry.UpstreamConfig;
  if (config === null) return null;
  return {
    Overrides: config.Overrides?.map(normalizeUpstream) ?? null,
    Defaults: config.Defaults === null ? null : normalizeUpstream(config.Defaults),
  };
}

function normalizeUpstream(upstream: UpstreamConfig): UpstreamConfig {
  const Protocol = upstream.Protocol.toLowerCase();
  return { ...upstream, Protocol, ConnectTimeoutMs: Math.max(0, upstream.ConnectTimeoutMs) };
}

function serviceDefaultsFault(entry: ServiceDefaults): string | null {
  if (entry.Name === '') return 'Name is required';
  if (entry.Name === wildcard) return 'service-defaults name must be the name of a service, and not a wildcard';
  if (utf8Length(entry.Name) > nameBytesMax) return `Name exceeds maximum length ${nameBytesMax}`;
  const meta = metaFault(entry);
  if (meta !== null) return meta;
  const errors: string[] = [];
  for (const override of entry.UpstreamConfig?.Overrides ?? []) {
    const fault = overrideFault(override);
    if (fault !== null) errors.push(`error in upstream override for ${override.Name}: ${fault}`);
  }
  const defaults = entry.UpstreamConfig?.Defaults ?? null;
  const fault = defaults === null ? null : defaults.Name === '' ? upstreamFault(defaults) : 'Name must be empty';
  if (fault !== null) errors.push(`error in upstream defaults: ${fault}`);
  return errors.length === 0 ? null : errorList(errors);
}

function overrideFault(override: UpstreamConfig): string | null {
  if (override.Name === '') return 'Name is required';
  if (override.Name === wildcard) return 'Wildcard name is not supported';
  return upstreamFault(override);
}

function upstreamFault(upstream: UpstreamConfig): string | null {
  const errors: string[] = [];
  if ((upstream.PassiveHealthCheck?.Interval ?? 0) < 0) {
    errors.push('passive health check interval cannot be negative');
  }
  for (const [name, text] of limitNames) {
    if ((upstream.Limits?.[name] ?? 0) < 0) errors.push(`${text} cannot be negative`);
  }
  return errors.length === 0 ? null : errorList(errors);
}

const limitNames: readonly (readonly [keyof UpstreamLimits, string])[] = [
  ['MaxConnections', 'max connections'],
  ['MaxPendingRequests', 'max pending requests'],
  ['MaxConcurrentRequests', 'max concurrent requests'],
];

function metaFault(entry: Pick<ConfigEntry, 'Meta'>): string | null {
  const errors = metaErrors(entry.Meta);
  return errors.length === 0 ? null : errorList(errors);
}
