/** The flags of `heddle agent`, printed from the declaration of the keys, and their words read back into it. */
import { keys, type RawConfig } from './keys/index.ts';
import { type LeafKey, leaves } from './schema.ts';

export interface AgentFlag {
  readonly name: string;
  readonly type: 'bool' | 'string' | 'int' | 'duration' | 'list';
  readonly placeholder?: string;
  readonly help: string;
  /** Values are gathered under this name, so that the order among several flags stays. */
  readonly into?: string;
}

export type FlagValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;

/** Flags without a key of their own. */
const ownFlags: readonly AgentFlag[] = [
  {
    name: 'dev',
    type: 'bool',
    help: 'Starts the agent in development mode: one server, durable, in a temporary directory.',
  },
  {
    name: 'config-dir',
    type: 'list',
    placeholder: 'value',
    into: 'config-file',
    help: 'Path to a directory to read configuration files from. Reads every file ending in .hcl or .json, in alphabetical order. Can be specified multiple times.',
  },
  {
    name: 'config-file',
    type: 'list',
    placeholder: 'value',
    help: 'Path to a file in JSON or HCL format with a matching extension. Can be specified multiple times.',
  },
  {
    name: 'config-format',
    type: 'string',
    placeholder: 'string',
    help: 'Config files are in this format irrespective of their extension. Must be hcl or json.',
  },
  { name: 'hcl', type: 'list', placeholder: 'value', help: 'HCL config fragment. Can be specified multiple times.' },
];

/** Sorted by name. */
export function agentFlags(): readonly AgentFlag[] {
  const ofKeys = leaves(keys).flatMap(({ key }): AgentFlag[] =>
    key.doc.flag === undefined
      ? []
      : [{ name: key.doc.flag, type: flagType(key), placeholder: 'value', help: key.doc.help }],
  );
  return [...ownFlags, ...ofKeys].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function flagType(key: LeafKey): AgentFlag['type'] {
  switch (key.kind) {
    case 'bool':
    case 'int':
    case 'duration':
      return key.kind;
    case 'list':
    case 'map':
      return 'list';
    default:
      return 'string';
  }
}

/** What the words said: lists come before the files, scalars after them. */
export function flagSources(values: ReadonlyMap<string, FlagValue>): { lists: RawConfig; scalars: RawConfig } {
  const lists: Record<string, unknown> = {};
  const scalars: Record<string, unknown> = {};
  for (const { path, key } of leaves(keys)) {
    const value = key.doc.flag === undefined ? undefined : values.get(key.doc.flag);
    if (value === undefined) continue;
    if (key.kind === 'list') put(lists, path, value);
    else put(scalars, path, key.kind === 'map' ? pairs(value as readonly string[]) : value);
  }
  return { lists, scalars };
}

/** `key:value`; without a colon the value is empty. */
function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const colon = word.indexOf(':');
      return colon < 0 ? [word, ''] : [word.slice(0, colon), word.slice(colon + 1)];
    }),
  );
}

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.');
  let at = target;
  for (const name of names.slice(0, -1)) {
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
  }
  at[names.at(-1)!] = value;
}
