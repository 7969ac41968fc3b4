/**
 * The keys of a server's pools as `/v1/operator/keyring` manages them, in the words that tools of the field know. A client is
 * in one of the pools only, so it has a server do it.
 */
import type { Backend, Caller } from '../api/backend.ts';
import type { Keyring, KeyringChange, PoolKeys } from '../api/keyring.ts';
import { Refusal } from '../fsm/errors.ts';
import { GossipError, type KeyManager, type KeyResult } from '../gossip/index.ts';
import { decodeBase64 } from '../std/base64.ts';
import type { Server } from './server/index.ts';

/** A pool by its keys. */
export interface KeyedPool {
  readonly wan: boolean;
  readonly datacenter: string;
  readonly keys: KeyManager;
}

/** All pools are asked, whatever one of them answers; the complaints of all come in one error. */
export function poolKeys(pools: readonly KeyedPool[]): Keyring {
  return {
    list: ({ localOnly, relayFactor }) =>
      inEach(
        pools.filter(({ wan }) => !localOnly || !wan),
        async (pool) => keysOf(pool, await pool.keys.list({ relayFactor })),
      ),
    async change(operation, key, options) {
      const decoded = decodeBase64(key);
      await inEach(pools, async (pool) => {
        if (!decoded.ok) throw new GossipError('bad-option', decoded.error);
        return pool.keys[operation](key, options);
      });
    },
  };
}

function keysOf({ wan, datacenter }: KeyedPool, result: KeyResult): PoolKeys {
  return {
    WAN: wan,
    Datacenter: datacenter,
    Segment: '',
    ...(Object.keys(result.messages).length === 0 ? {} : { Messages: result.messages }),
    Keys: result.keys,
    PrimaryKeys: result.primaryKeys,
    NumNodes: result.members,
  };
}

async function inEach<T>(pools: readonly KeyedPool[], ask: (pool: KeyedPool) => Promise<T>): Promise<T[]> {
  const complaints: string[] = [];
  const results: T[] = [];
  const answers = await Promise.allSettled(pools.map(ask));
  for (const [i, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') results.push(answer.value);
    else complaints.push(...complaintsOf(pools[i]!, answer.reason));
  }
  if (complaints.length === 0) return results;
  const head = complaints.length === 1 ? '1 error occurred:' : `${complaints.length} errors occurred:`;
  throw new Refusal('failed', `${head}\n${complaints.map((line) => `\t* ${line}\n`).join('')}\n`);
}

function complaintsOf({ wan, datacenter }: KeyedPool, error: unknown): string[] {
  if (!(error instanceof GossipError)) throw error;
  const { messages = {} } = (error.fields.result ?? {}) as Partial<KeyResult>;
  const lines = Object.entries(messages).map(([member, message]) => `${member}: ${message}`);
  return [`${wan ? 'WAN' : `${datacenter} (LAN)`} error: ${error.message}`, ...lines];
}

const caller: Caller = { token: '', address: '', call: 'keyring', datacenter: '' };

/** Lets clients ask this server. */
export function answerKeyring(server: Server, keyring: Keyring): void {
  server.handle('keyring.list', { where: 'any', run: (options) => keyring.list(options) });
  server.handle('keyring.change', {
    where: 'any',
    async run({ operation, key, relayFactor }) {
      await keyring.change(operation, key, { relayFactor });
      return null;
    },
  });
}

/** The keyring of a client: any server's. */
export function remoteKeyring(backend: Backend): Keyring {
  return {
    list: (options) => backend.call('keyring.list', options, caller),
    async change(operation: KeyringChange, key, options) {
      await backend.call('keyring.change', { operation, key, ...options }, caller);
    },
  };
}
