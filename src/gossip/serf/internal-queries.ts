/**
 * Queries that the library answers itself: names that begin with `_serf_`. They never reach the application.
 */
import {
  decodeConflictResponse,
  decodeKeyRequest,
  decodeKeyResponse,
  encodeConflictResponse,
  encodeKeyResponse,
  type KeyResponse,
} from '../wire/serf.ts';
import { decodeUtf8 } from '../wire/utf8.ts';
import type { DeliveredQuery, KeyOperationName } from './context.ts';
import { type Member, memberToRecord } from './member.ts';

export const internalPrefix = '_serf_';

export const internalQuery = {
  ping: '_serf_ping',
  conflict: '_serf_conflict',
  install: '_serf_install-key',
  use: '_serf_use-key',
  remove: '_serf_remove-key',
  list: '_serf_list-keys',
} as const;

const keyOperations: Readonly<Record<string, KeyOperationName>> = {
  [internalQuery.install]: 'install',
  [internalQuery.use]: 'use',
  [internalQuery.remove]: 'remove',
  [internalQuery.list]: 'list',
};

export type InternalAnswer =
  /** Nothing to say (the ack was the answer), or not ours to say. */
  | { readonly kind: 'none' }
  | { readonly kind: 'respond'; readonly payload: Uint8Array }
  | { readonly kind: 'key'; readonly operation: KeyOperationName; readonly key: Uint8Array };

export function answerInternal(
  query: DeliveredQuery,
  self: string,
  find: (name: string) => Member | undefined,
): InternalAnswer {
  if (query.name === internalQuery.conflict) {
    const name = decodeUtf8(query.payload, 0, query.payload.length);
    if (name === self) return { kind: 'none' };
    const member = find(name);
    return { kind: 'respond', payload: encodeConflictResponse(member === undefined ? null : memberToRecord(member)) };
  }
  const operation = keyOperations[query.name];
  if (operation === undefined) return { kind: 'none' };
  const key = decodeKeyRequest(query.payload);
  if (key !== undefined) return { kind: 'key', operation, key };
  const Message = 'the key request could not be decoded';
  return { kind: 'respond', payload: encodeKeyResponse({ Result: false, Message, Keys: null, PrimaryKey: '' }) };
}

/** A key list that does not fit a response loses keys from its end, and says so. */
export function fittingKeyResponse(response: KeyResponse, bytesMax: number): Uint8Array {
  const all = response.Keys ?? [];
  for (let count = all.length; ; count--) {
    const shortened = count < all.length;
    const Message = shortened
      ? `truncated key list response, showing first ${count} of ${all.length} keys`
      : response.Message;
    const Keys = response.Keys === null ? null : all.slice(0, count);
    const encoded = encodeKeyResponse({ ...response, Message, Keys });
    if (encoded.length <= bytesMax || count === 0) return encoded;
  }
}

/** What the pool answered to a key operation. */
export interface KeyResult {
  /** Members that should have answered. */
  readonly members: number;
  readonly responses: number;
  readonly errors: number;
  /** Member name to its complaint or remark. */
  readonly messages: Readonly<Record<string, string>>;
  /** Base64 key to the number of members that have it (`list` only). */
  readonly keys: Readonly<Record<string, number>>;
  readonly primaryKeys: Readonly<Record<string, number>>;
}

export function tallyKeyResponses(
  members: number,
  responses: readonly { from: string; payload: Uint8Array }[],
): KeyResult {
  const messages: Record<string, string> = {};
  const keys: Record<string, number> = {};
  const primaryKeys: Record<string, number> = {};
  let errors = 0;
  for (const { from, payload } of responses) {
    const response = decodeKeyResponse(payload);
    if (response === undefined) {
      errors++;
      messages[from] = 'the response could not be decoded';
      continue;
    }
    if (!response.Result) errors++;
    if (response.Message !== '') messages[from] = response.Message;
    for (const key of response.Keys ?? []) keys[key] = (keys[key] ?? 0) + 1;
    if (response.PrimaryKey !== '') primaryKeys[response.PrimaryKey] = (primaryKeys[response.PrimaryKey] ?? 0) + 1;
  }
  return { members, responses: responses.length, errors, messages, keys, primaryKeys };
}

/**
 * Another address claims our name and the pool was asked whom it knows. We stay if a majority of those who know the name
 * mean us. Without any answer we stay too: Serf shuts down then, so that one forged packet kills a lone member.
 */
export function winsConflict(
  self: { readonly address: string; readonly port: number },
  responses: readonly { payload: Uint8Array }[],
): boolean {
  let answers = 0;
  let matching = 0;
  for (const { payload } of responses) {
    const member = decodeConflictResponse(payload);
    if (member === undefined || member === null) continue;
    answers++;
    if (member.Addr === self.address && member.Port === self.port) matching++;
  }
  return answers === 0 || matching >= Math.floor(answers / 2) + 1;
}
