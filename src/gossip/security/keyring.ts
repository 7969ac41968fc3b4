/**
 * The keys of a pool, the primary first: everything is encrypted with the primary and decrypted with whichever fits, so
 * that a key can be installed everywhere, then used, then the old one removed, without a packet lost.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { GossipError } from '../errors.ts';

export interface Key {
  /** As people and files write it. */
  readonly base64: string;
  readonly object: KeyObject;
  readonly algorithm: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';
}

export type KeyOperation = 'install' | 'use' | 'remove';

const algorithms: Readonly<Record<number, Key['algorithm']>> = {
  16: 'aes-128-gcm',
  24: 'aes-192-gcm',
  32: 'aes-256-gcm',
};

/** Throws GossipError `bad-option`; the text never shows the key. */
export function parseKey(base64: string): Key {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64.trim()) throw badKey('a gossip key must be base64');
  return keyFromBytes(bytes);
}

function keyFromBytes(bytes: Uint8Array): Key {
  const algorithm = algorithms[bytes.length];
  if (algorithm === undefined) throw badKey(`key size must be 16, 24 or 32 bytes, not ${bytes.length}`);
  const copy = Buffer.from(bytes);
  return { base64: copy.toString('base64'), object: createSecretKey(copy), algorithm };
}

const badKey = (message: string): GossipError => new GossipError('bad-option', message);

/** These texts travel: operators of mixed pools read them whichever member answers. */
export const noKeyring = 'Keyring is empty (encryption not enabled)';

export class Keyring {
  private ring: readonly Key[];

  constructor(base64Keys: readonly string[] = []) {
    const keys = base64Keys.map(parseKey);
    this.ring = keys.filter((key, i) => keys.findIndex((other) => other.base64 === key.base64) === i);
  }

  /** In order of use; empty means that the pool is not encrypted. */
  get keys(): readonly Key[] {
    return this.ring;
  }

  get primary(): Key | undefined {
    return this.ring[0];
  }

  get enabled(): boolean {
    return this.ring.length > 0;
  }

  base64(): string[] {
    return this.ring.map((key) => key.base64);
  }

  /** The ring after an operation, or what forbids it. Nothing changes until `replace`, so that a file can go first. */
  after(operation: KeyOperation, bytes: Uint8Array): { ring: readonly Key[] } | { refused: string } {
    if (!this.enabled) return { refused: noKeyring };
    if (algorithms[bytes.length] === undefined) return { refused: 'key size must be 16, 24 or 32 bytes' };
    const key = keyFromBytes(bytes);
    const known = this.ring.some((other) => other.base64 === key.base64);
    const others = this.ring.filter((other) => other.base64 !== key.base64);
    switch (operation) {
      case 'install':
        return { ring: known ? this.ring : [...this.ring, key] };
      case 'use':
        return known ? { ring: [key, ...others] } : { refused: 'Requested key is not in the keyring' };
      case 'remove':
        if (this.primary?.base64 === key.base64) return { refused: 'Removing the primary key is not allowed' };
        return { ring: others };
    }
  }

  replace(ring: readonly Key[]): void {
    this.ring = ring;
  }
}
