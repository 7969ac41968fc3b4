/** The keys of the LAN pool as `/v1/operator/keyring` manages them, in the words that tools of the field know. */
import type { Keyring, PoolKeys } from '../api/keyring.ts';
import { GossipError, type KeyManager, type KeyResult } from '../gossip/index.ts';
import { decodeBase64 } from '../std/base64.ts';
import { LocalError } from './local/errors.ts';

export function poolKeys(keys: KeyManager, datacenter: string): Keyring {
  const pool = `${datacenter} (LAN)`;
  const change = (operation: 'install' | 'use' | 'remove') => async (key: string) => {
    const decoded = decodeBase64(key);
    if (!decoded.ok) throw failure([`${pool} error: ${decoded.error}`]);
    await asked(pool, keys[operation](key));
  };
  return {
    async list(): Promise<readonly PoolKeys[]> {
      const result = await asked(pool, keys.list());
      return [
        {
          WAN: false,
          Datacenter: datacenter,
          Segment: '',
          ...(Object.keys(result.messages).length === 0 ? {} : { Messages: result.messages }),
          Keys: result.keys,
          PrimaryKeys: result.primaryKeys,
          NumNodes: result.members,
        },
      ];
    },
    install: change('install'),
    use: change('use'),
    remove: change('remove'),
  };
}

async function asked(pool: string, operation: Promise<KeyResult>): Promise<KeyResult> {
  try {
    return await operation;
  } catch (error) {
    if (!(error instanceof GossipError)) throw error;
    const { messages = {} } = (error.fields.result ?? {}) as Partial<KeyResult>;
    const lines = Object.entries(messages).map(([member, message]) => `${member}: ${message}`);
    throw failure([`${pool} error: ${error.message}`, ...lines]);
  }
}

function failure(lines: readonly string[]): LocalError {
  const head = lines.length === 1 ? '1 error occurred:' : `${lines.length} errors occurred:`;
  return new LocalError('failed', `${head}\n${lines.map((line) => `\t* ${line}\n`).join('')}\n`);
}
