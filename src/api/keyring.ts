/** The keys that encrypt gossip, of all members of the pools at once. Failures are HeddleErrors with complete texts. */
export interface Keyring {
  /** Each pool's keys, with how many of its members have them. */
  list(localOnly: boolean): Promise<readonly PoolKeys[]>;
  /** `key` is base64, as the caller wrote it. */
  install(key: string): Promise<void>;
  /** Makes an installed key the one that encrypts. */
  use(key: string): Promise<void>;
  remove(key: string): Promise<void>;
}

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
