/**
 * The parameters that every read understands: which datacenter, how fresh, and how long to wait for a change.
 *
 * They are checked in a fixed order (consistency, Cache-Control, wait, index), since tools match on the first complaint.
 */
import { parseDuration } from '../../std/duration.ts';
import { HttpError } from './errors.ts';
import type { ApiRequest } from './request.ts';

/** Where a read may be answered. `default`: the leader under its lease; `consistent`: after a quorum confirmed it. */
export type Consistency = 'default' | 'consistent' | 'stale';

export interface ReadParameters {
  /** '' means the agent's own. */
  readonly datacenter: string;
  readonly token: string;
  readonly consistency: Consistency;
  /** Oldest leader contact that a stale answer may have; undefined: any. */
  readonly maxStaleMs: number | undefined;
  /** Answer from the agent's cache where the endpoint has one. */
  readonly cached: boolean;
  readonly maxAgeMs: number | undefined;
  readonly mustRevalidate: boolean;
  readonly staleIfErrorMs: number | undefined;
  /** Block until the index of the answer is greater; 0 never blocks. */
  readonly minIndex: number;
  /** As the client asked; 0: the default. Limits and jitter are the waiter's business. */
  readonly waitMs: number;
}

export interface ReadDefaults {
  /** `discovery_max_stale`: catalog and health reads without a word on consistency become stale reads of this age. */
  readonly discoveryMaxStaleMs: number;
  /** `http_config.use_cache`. */
  readonly useCache: boolean;
}

export function readParameters(request: ApiRequest, defaults: ReadDefaults): ReadParameters {
  const { query } = request;
  const { consistency, maxStaleMs, cached } = readFreshness(request, defaults);
  const { maxAgeMs, mustRevalidate, staleIfErrorMs } = readCacheControl(request.header('cache-control'));
  const waitMs = readWait(query.get('wait'));
  return {
    datacenter: query.get('dc'),
    token: request.token,
    consistency,
    maxStaleMs,
    cached,
    maxAgeMs,
    mustRevalidate,
    staleIfErrorMs,
    waitMs,
    minIndex: readIndex(query.get('index')),
  };
}

type Freshness = Pick<ReadParameters, 'consistency' | 'maxStaleMs' | 'cached'>;

function readFreshness(request: ApiRequest, defaults: ReadDefaults): Freshness {
  const { query, path } = request;
  const consistent = query.has('consistent');
  const cached = query.has('cached') && defaults.useCache;
  let stale = query.has('stale');
  let maxStaleMs: number | undefined;
  let decided = stale || consistent || query.has('leader');
  const asked = query.get('max_stale');
  if (asked !== '') {
    const parsed = parseDuration(asked);
    if (!parsed.ok) throw new HttpError(400, `Invalid max_stale value ${JSON.stringify(asked)}`);
    maxStaleMs = parsed.value / 1e6;
    if (maxStaleMs > 0) {
      stale = true;
      decided = true;
    }
  }
  if (!decided && defaults.discoveryMaxStaleMs > 0 && /^\/v1\/(catalog|health)/.test(path)) {
    stale = true;
    maxStaleMs = defaults.discoveryMaxStaleMs;
  }
  if (stale && consistent) throw conflict('stale');
  if (cached && consistent) throw conflict('cached');
  return { consistency: consistent ? 'consistent' : stale ? 'stale' : 'default', maxStaleMs, cached };
}

function conflict(other: string): HttpError {
  return new HttpError(400, `Cannot specify ?${other} with ?consistent, conflicting semantics.`);
}

type CacheControl = Pick<ReadParameters, 'maxAgeMs' | 'mustRevalidate' | 'staleIfErrorMs'>;
const noCacheControl: CacheControl = { maxAgeMs: undefined, mustRevalidate: false, staleIfErrorMs: undefined };

function readCacheControl(header: string | undefined): CacheControl {
  if (header === undefined) return noCacheControl;
  const found = { ...noCacheControl } as { -readonly [K in keyof CacheControl]: CacheControl[K] };
  for (const part of header.split(',')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    switch (name.toLowerCase()) {
      case 'must-revalidate':
        found.mustRevalidate = true;
        break;
      case 'max-age':
        found.maxAgeMs = readSeconds(value);
        break;
      case 'stale-if-error':
        found.staleIfErrorMs = readSeconds(value);
        break;
    }
  }
  return found;
}

function readSeconds(value: string): number {
  if (!/^[+-]?\d{1,15}$/.test(value)) throw new HttpError(400, 'Invalid Cache-Control header.');
  return Number(value) * 1000;
}

function readWait(wait: string): number {
  if (wait === '') return 0;
  const parsed = parseDuration(wait);
  if (!parsed.ok) throw new HttpError(400, 'Invalid wait time');
  return parsed.value / 1e6;
}

/** An index beyond 2^53 is one that this cluster never reached: it blocks like any future index. */
function readIndex(index: string): number {
  if (index === '') return 0;
  if (!/^\d{1,20}$/.test(index) || BigInt(index) > 0xffff_ffff_ffff_ffffn) throw new HttpError(400, 'Invalid index');
  return Number(index);
}

/** True booleans of a parameter: `1 t T TRUE true True` and their opposites; undefined for anything else. */
export function parseBool(value: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  return undefined;
}
