/** What families of routes are made with. */
import type { Backend, Snapshots } from '../../backend.ts';
import type { MeshSettings } from '../../decision-cache.ts';
import type { AgentCache } from '../agent-cache.ts';
import type { EncodeCache } from '../encode-cache.ts';
import type { ReadDefaults } from '../read-parameters.ts';

export interface RouteContext {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  readonly defaults: ReadDefaults;
  readonly limits: BodyLimits;
  readonly coordinatesDisabled: boolean;
  readonly encodings: EncodeCache;
  readonly cache: AgentCache;
  readonly mesh: MeshSettings;
}

export interface BodyLimits {
  /** `limits.kv_max_value_size`. */
  readonly kvValueBytesMax: number;
  /** `limits.txn_max_req_len`; the greater of this and the former counts. */
  readonly txnBytesMax: number;
}
export const bodyLimits: BodyLimits = { kvValueBytesMax: 524_288, txnBytesMax: 524_288 };
