import { type Command, CommandFailure } from '../command.ts';
import type { ApiClient } from '../http-client.ts';

interface Pool {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Keys: Readonly<Record<string, number>>;
  readonly PrimaryKeys?: Readonly<Record<string, number>>;
  readonly NumNodes: number;
}

const changes = {
  install: { method: 'POST', doing: 'Installing new gossip encryption key...' },
  use: { method: 'PUT', doing: 'Changing primary gossip encryption key...' },
  remove: { method: 'DELETE', doing: 'Removing gossip encryption key...' },
} as const;

export const keyring: Command = {
  usage: '[options]',
  description: `Manages the keys that encrypt gossip, on all members at once. A new key is installed, then used, and the old one
removed, without an interruption.

    $ heddle keyring -install="$(heddle keygen)"

    $ heddle keyring -list`,
  groups: ['client'],
  flags: [
    {
      name: 'install',
      type: 'string',
      help: 'Install a new encryption key. This will broadcast the new key to all members in the cluster.',
    },
    { name: 'list', type: 'bool', help: 'List all keys currently in use within the cluster.' },
    { name: 'list-primary', type: 'bool', help: 'List all primary keys currently in use within the cluster.' },
    {
      name: 'local-only',
      type: 'bool',
      help: 'Setting this to true will force the keyring query to only hit local nodes (no WAN traffic). This flag can only be set for list queries.',
    },
    {
      name: 'relay-factor',
      type: 'int',
      default: 0,
      help: 'Setting this to a non-zero value will cause nodes to relay their response to the operation through this many randomly-chosen other nodes in the cluster. The maximum allowed value is 5.',
    },
    {
      name: 'remove',
      type: 'string',
      help: 'Remove the given key from the cluster. This operation may only be performed on keys which are not currently the primary key.',
    },
    {
      name: 'use',
      type: 'string',
      help: 'Change the primary encryption key, which is used to encrypt messages. The key must already be installed before this operation can succeed.',
    },
  ],
  async run({ flags, client, io, help }) {
    const chosen = ['list', 'list-primary', 'install', 'use', 'remove'].filter((name) => flags.given(name));
    if (chosen.length === 0) {
      io.error(help);
      return 1;
    }
    if (chosen.length > 1) throw new CommandFailure('Only a single action is allowed');
    const relay = flags.number('relay-factor');
    if (relay < 0 || relay > 5)
      throw new CommandFailure('Error parsing relay factor: Relay factor must be in range: [0, 5]');
    const action = chosen[0]!;
    if (flags.bool('local-only') && action !== 'list') {
      throw new CommandFailure('Error validating local-only: local-only can only be set for list requests');
    }
    const query = {
      'relay-factor': relay === 0 ? undefined : String(relay),
      'local-only': flags.bool('local-only') ? 'true' : undefined,
    };
    try {
      if (action === 'list' || action === 'list-primary') {
        io.out(`==> Gathering installed ${action === 'list' ? '' : 'primary '}encryption keys...`);
        await list(client, action === 'list-primary', query, io.out);
      } else {
        const { method, doing } = changes[action as keyof typeof changes];
        io.out(`==> ${doing}`);
        await client.expect(method, '/v1/operator/keyring', {
          query,
          body: JSON.stringify({ Key: flags.string(action) }),
        });
      }
    } catch (error) {
      throw new CommandFailure(`error: ${(error as Error).message}`);
    }
    return 0;
  },
};

async function list(
  client: ApiClient,
  primary: boolean,
  query: Record<string, string | undefined>,
  out: (text: string) => void,
): Promise<void> {
  for (const pool of await client.json<Pool[]>('GET', '/v1/operator/keyring', { query })) {
    out(`\n${pool.WAN ? 'WAN' : `${pool.Datacenter} (LAN)`}:`);
    for (const [key, count] of Object.entries((primary ? pool.PrimaryKeys : pool.Keys) ?? {}))
      out(`  ${key} [${count}/${pool.NumNodes}]`);
  }
}
