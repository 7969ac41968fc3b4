/**
 * Key management: performs what the pool asks of our keyring (file first, then memory, so that a restart never knows
 * less than the pool), and asks the pool to do the same.
 */
import type { KeyManager, KeyOptions, QueryHandle, QueryParams } from './api.ts';
import { GossipError } from './errors.ts';
import { type KeyOperation, type Keyring, noKeyring, parseKey } from './security/keyring.ts';
import { writeKeyringFile } from './security/keyring-file.ts';
import type { KeyOperationName } from './serf/context.ts';
import { internalQuery, type KeyResult, tallyKeyResponses } from './serf/internal-queries.ts';
import { encodeKeyRequest, type KeyResponse } from './wire/serf.ts';

type Ask = (name: string, payload: Uint8Array, params: QueryParams) => QueryHandle;

export class KeyDesk {
  readonly keyring: Keyring;
  private readonly path: string | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(keyring: Keyring, path: string | undefined) {
    this.keyring = keyring;
    this.path = path;
  }

  /** One after the other: two changes at once must not write the file in the wrong order. */
  perform(operation: KeyOperationName, key: Uint8Array): Promise<KeyResponse> {
    const response = this.turn.then(() => (operation === 'list' ? this.listed() : this.change(operation, key)));
    this.turn = response;
    return response;
  }

  private listed(): KeyResponse {
    if (!this.keyring.enabled) return failure(noKeyring);
    return { Result: true, Message: '', Keys: this.keyring.base64(), PrimaryKey: this.keyring.primary!.base64 };
  }

  private async change(operation: KeyOperation, key: Uint8Array): Promise<KeyResponse> {
    const outcome = this.keyring.after(operation, key);
    if ('refused' in outcome) return failure(outcome.refused);
    try {
      const keys = outcome.ring.map(({ base64 }) => base64);
      if (this.path !== undefined) await writeKeyringFile(this.path, keys);
    } catch (error) {
      return failure(`the keyring file could not be written: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
    }
    this.keyring.replace(outcome.ring);
    return { Result: true, Message: '', Keys: null, PrimaryKey: '' };
  }

  /** Asks everybody. Rejects with `key-operation-failed`, the tally in its fields, unless all agreed. */
  manager(ask: Ask, members: () => number): KeyManager {
    const run = async (
      name: string,
      key: Uint8Array | null,
      { relayFactor = 0 }: KeyOptions = {},
    ): Promise<KeyResult> => {
      const wanted = members();
      const handle = ask(name, encodeKeyRequest(key), { relayFactor });
      for await (const _response of handle) if (handle.responses.length >= wanted) handle.close();
      await handle.done;
      const result = tallyKeyResponses(wanted, handle.responses);
      if (result.errors === 0 && result.responses >= wanted) return result;
      const message =
        result.errors > 0
          ? `${result.errors}/${wanted} nodes reported failure`
          : `${result.responses}/${wanted} nodes reported success`;
      throw new GossipError('key-operation-failed', message, { result });
    };
    const bytes = (base64: string): Uint8Array => new Uint8Array(parseKey(base64).object.export());
    return {
      install: async (key, options) => run(internalQuery.install, bytes(key), options),
      use: async (key, options) => run(internalQuery.use, bytes(key), options),
      remove: async (key, options) => run(internalQuery.remove, bytes(key), options),
      list: (options) => run(internalQuery.list, null, options),
    };
  }
}

const failure = (Message: string): KeyResponse => ({ Result: false, Message, Keys: null, PrimaryKey: '' });
