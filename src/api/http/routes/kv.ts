/**
 * `/v1/kv`: keys and values, check-and-set, locks. The key is the path behind the route; values are raw bodies.
 *
 * Parameters whose presence counts (`?recurse=false` recurses): recurse, keys, raw, separator, flags, cas, acquire, release.
 */

import type { CommandArgs } from '../../../fsm/index.ts';
import { type Awaitable, andThen } from '../../../std/awaitable.ts';
import { type KvEntry, kvEntry, s } from '../../../structs/index.ts';
import type { Backend, Caller } from '../../backend.ts';
import { type Answer, Encoded, json, jsonType, nothing } from '../answer.ts';
import { HttpError } from '../errors.ts';
import { parseUint } from '../numbers.ts';
import { callerOf, readHeaders, readOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { tooLarge } from '../too-large.ts';
import type { Query } from '../url.ts';
import type { RouteContext } from './context.ts';
import { logged } from './logged.ts';

export function kvRoutes(context: RouteContext): Route[] {
  return [
    {
      path: '/v1/kv/',
      methods: ['GET', 'PUT', 'DELETE'],
      namespaced: true,
      handle(request) {
        if (request.method === 'GET') return getKeys(context, request);
        return request.method === 'PUT' ? putKey(context, request) : deleteKeys(context, request);
      },
    },
  ];
}

const entries = s.list(kvEntry);
const keys = s.list(s.string(), '[]');

function getKeys(context: RouteContext, request: ApiRequest): Awaitable<Answer> {
  const { backend, defaults } = context;
  const { query, rest: key } = request;
  const { options } = readOf(request, defaults);
  if (query.has('keys')) {
    const separator = query.get('separator') || query.get('seperator');
    return andThen(backend.query('kv.keys', { prefix: key, separator }, options), (found) => {
      if (found.value.length === 0 && key !== '') return nothing(404, readHeaders(found));
      return json(new Encoded(Buffer.from(keys.text(found.value))), readHeaders(found));
    });
  }
  if (query.has('recurse')) {
    return andThen(backend.query('kv.list', { prefix: key }, options), (found) => {
      if (found.value.length === 0) return nothing(404, readHeaders(found));
      return json(new Encoded(Buffer.from(entries.text(found.value))), readHeaders(found));
    });
  }
  if (key === '') throw new HttpError(400, 'Missing key name');
  return andThen(backend.query('kv.get', { key }, options), (found) => {
    if (found.value === null) return nothing(404, readHeaders(found));
    if (query.has('raw')) return rawValue(found.value, readHeaders(found));
    return { status: 200, contentType: jsonType, body: entries.text([found.value]), headers: readHeaders(found) };
  });
}

/** The value alone, marked so that no browser takes what somebody stored for a page. */
function rawValue({ Value }: KvEntry, headers: Record<string, string>): Answer {
  headers['X-Content-Type-Options'] = 'nosniff';
  headers['Content-Security-Policy'] = 'sandbox';
  return { status: 200, contentType: 'text/plain', body: Value ?? undefined, headers };
}

async function putKey(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const { query, rest: Key } = request;
  if (Key === '') throw new HttpError(400, 'Missing key name');
  refuseConflict(request, conditions);
  const Flags = query.has('flags') ? parseUint(query.get('flags')) : 0;
  const cas = query.has('cas') ? Number(parseUint(query.get('cas'))) : undefined;
  const { kvValueBytesMax } = context.limits;
  const declared = request.contentLength ?? 0;
  if (declared > kvValueBytesMax) throw tooLarge('kv_max_value_size', kvValueBytesMax, declared);
  const body = await request.body(kvValueBytesMax, () => tooLarge('kv_max_value_size', kvValueBytesMax));
  const content = { Key, Value: body.length === 0 ? null : body, Flags };
  return json(await logged(applyPut(context.backend, query, cas, content, callerOf(request))));
}

/** Parameters of which at most one makes sense. */
const conditions = ['cas', 'acquire', 'release'] as const;

function applyPut(
  backend: Backend,
  query: Query,
  cas: number | undefined,
  content: CommandArgs<'kv.set'>,
  caller: Caller,
): Promise<boolean> {
  if (cas !== undefined) return backend.apply('kv.cas', { ...content, Index: cas }, caller);
  if (query.has('acquire')) return backend.apply('kv.acquire', { ...content, Session: query.get('acquire') }, caller);
  if (query.has('release')) return backend.apply('kv.release', { ...content, Session: query.get('release') }, caller);
  return backend.apply('kv.set', content, caller);
}

async function deleteKeys({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { query, rest: Key } = request;
  const caller = callerOf(request);
  refuseConflict(request, ['cas', 'recurse']);
  if (query.has('recurse')) return json(await logged(backend.apply('kv.deleteTree', { Prefix: Key }, caller)));
  if (Key === '') throw new HttpError(400, 'Missing key name');
  if (!query.has('cas')) return json(await logged(backend.apply('kv.delete', { Key }, caller)));
  const Index = Number(parseUint(query.get('cas')));
  return json(await logged(backend.apply('kv.deleteCas', { Key, Index }, caller)));
}

function refuseConflict({ query }: ApiRequest, names: readonly string[]): void {
  if (query.isEmpty) return;
  if (names.filter((name) => query.has(name)).length > 1) {
    throw new HttpError(400, `Conflicting flags: ${query.encode()}`);
  }
}
