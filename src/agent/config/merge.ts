/**
 * Many sources, one configuration. Scalars: the last word holds. Maps and objects: key by key. Lists: joined in order.
 * `service` and `check` join `services` and `checks`.
 */
import { keys, type RawConfig } from './keys/index.ts';
import type { Fields, Key } from './schema.ts';

export function mergeRaw(sources: readonly RawConfig[]): RawConfig {
  const merged = sources
    .map((source) => gathered(source as Record<string, unknown>))
    .reduce((base, over) => mergeFields(keys, base, over), {});
  return merged as RawConfig;
}

function gathered(source: Record<string, unknown>): Record<string, unknown> {
  const { service, check, ...rest } = source;
  if (service !== undefined) rest.services = [...list(rest.services), service];
  if (check !== undefined) rest.checks = [...list(rest.checks), check];
  return rest;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function mergeFields(fields: Fields, base: Record<string, unknown>, over: Record<string, unknown>) {
  const out = { ...base };
  for (const [name, value] of Object.entries(over)) {
    out[name] = name in base ? mergeKey(fields[name]!, base[name], value) : value;
  }
  return out;
}

function mergeKey(key: Key, base: unknown, over: unknown): unknown {
  switch (key.kind) {
    case 'object':
      return mergeFields(key.fields, base as Record<string, unknown>, over as Record<string, unknown>);
    case 'map':
    case 'opaque':
      return { ...(base as object), ...(over as object) };
    case 'list':
    case 'opaques':
    case 'services':
    case 'checks':
      return [...(base as unknown[]), ...(over as unknown[])];
    default:
      return over;
  }
}
