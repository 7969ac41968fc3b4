/** The tree of commands. A command's file is loaded only when it runs, so that asking an agent starts quickly. */
import type { Command } from './command.ts';

export interface Leaf {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}
export interface Group {
  readonly summary: string;
  readonly description: string;
  readonly commands: Readonly<Record<string, Leaf | Group>>;
}

export const isGroup = (entry: Leaf | Group): entry is Group => 'commands' in entry;

export const root: Group = {
  summary: '',
  description: 'Heddle decides which services may meet: a registry, intentions and a built-in sidecar.',
  commands: {
    kv: {
      summary: 'Interact with the key-value store',
      description: 'Reads and writes the key-value store.',
      commands: {
        get: {
          summary: 'Retrieves or lists data from the KV store',
          load: async () => (await import('./commands/kv-get.ts')).kvGet,
        },
        put: {
          summary: 'Sets or updates data in the KV store',
          load: async () => (await import('./commands/kv-put.ts')).kvPut,
        },
      },
    },
    version: { summary: 'Prints the version', load: async () => (await import('./commands/version.ts')).version },
  },
};
