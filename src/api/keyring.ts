/** The keys that encrypt gossip, of all members of the pools at once. Failures are HeddleErrors with complete texts. */
export interface Keyring {
  /** Each pool's keys, with how many of its members have them. */
  list(options: KeyringOptions & { readonly localOnly: boolean }): Promise<readonly PoolKeys[]>;
  change(operation: KeyringChange, key: string, options: KeyringOptions): Promise<void>;
}

/** `use` makes an installed key the one that encrypts. */
export type KeyringChange = 'install' | 'use' | 'remove';

export interface KeyringOptions {
  /** So many other members carry each member's answer as well; 0 to `relaysMax`. */
  readonly relayFactor: number;
}

export const relaysMax = 5;

export interface PoolKeys {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Segment: string;
  /** What members remarked, by name; absent when none did. */
  readonly Messages?: Readonly<Record<string, string>>;
  readonly Keys: Readonly<Record<string, number>>;
  readonly PrimaryKeys: Readonly<Record<string, number>>;
  readonly NumNodes: number;
}
