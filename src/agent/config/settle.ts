/** Gives every key a value: what the sources said, or the default. Wrong durations and bounds are collected. */
import { parseDuration } from '../../std/duration.ts';
import { keys, type RawConfig, type Settings } from './keys/index.ts';
import type { Fields, Key } from './schema.ts';

export function settle(raw: RawConfig, problems: string[]): Settings {
  return settleFields(keys, raw as Record<string, unknown>, '', problems) as Settings;
}

function settleFields(fields: Fields, raw: Record<string, unknown>, prefix: string, problems: string[]) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, key]) => [name, settleKey(key, raw[name], prefix + name, problems)]),
  );
}

function settleKey(key: Key, value: unknown, path: string, problems: string[]): unknown {
  switch (key.kind) {
    case 'object':
      return settleFields(key.fields, (value ?? {}) as Record<string, unknown>, `${path}.`, problems);
    case 'duration': {
      const text = (value ?? key.fallback) as string;
      const parsed = parseDuration(text === '' ? '0' : text);
      if (parsed.ok) return parsed.value;
      problems.push(`${path}: invalid duration: "${text}": ${parsed.error}`);
      return 0;
    }
    case 'opaque':
      return value ?? {};
    case 'opaques':
    case 'services':
    case 'checks':
      return value ?? [];
    case 'service':
    case 'check':
      return value;
    default:
      return value ?? key.fallback;
  }
}
