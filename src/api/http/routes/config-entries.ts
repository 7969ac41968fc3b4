/**
 * `/v1/config`: central configuration by kind and name.
 *
 *     PUT           /v1/config[?cas=]                  one entry, whole
 *     GET           /v1/config/:kind/:name, /:kind, /  one, a kind's, all
 *     DELETE        /v1/config/:kind/:name[?cas=]
 */
import {
  type ConfigEntry,
  configEntryKinds,
  decodeConfigEntry,
  encodeConfigEntry,
  invalidKind,
} from '../../../structs/index.ts';
import { type Answer, json } from '../answer.ts';
import { jsonBody } from '../body.ts';
import { ErrorWithHeaders, HttpError, notFound } from '../errors.ts';
import { parseUint } from '../numbers.ts';
import { callerOf, readHeaders, readOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

export function configEntryRoutes(context: RouteContext): Route[] {
  return [
    { path: '/v1/config', methods: ['PUT'], namespaced: true, handle: (request) => put(context, request) },
    {
      path: '/v1/config/',
      methods: ['GET', 'DELETE'],
      namespaced: true,
      handle: (request) => (request.method === 'GET' ? get(context, request) : remove(context, request)),
    },
  ];
}

async function put({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const failed = 'Bad request: Request decoding failed: ';
  const decoded = decodeConfigEntry(await jsonBody(request, failed));
  if (!decoded.ok) throw new HttpError(400, failed + decoded.error);
  // Writes go to the one place that takes them, whatever datacenter is named.
  const args = { Entry: decoded.value, ...casOf(request) };
  return json(await backend.apply('configEntry.set', args, callerOf(request, '')));
}

function casOf({ query }: ApiRequest): { readonly Cas?: number } {
  return query.get('cas') === '' ? {} : { Cas: Number(parseUint(query.get('cas'))) };
}

/** What follows the kind's slash is the name, slashes included. */
function splitPath(rest: string): { readonly kind: string; readonly name: string } {
  const slash = rest.indexOf('/');
  return slash === -1 ? { kind: rest, name: '' } : { kind: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

async function get({ backend, defaults, encodings }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const { kind, name } = splitPath(request.rest);
  if (kind !== '' && !configEntryKinds.includes(kind)) throw new HttpError(500, invalidKind(kind));
  if (name === '') {
    const found = await backend.query('configEntry.list', { kind }, options);
    return json(
      encodings.list(
        found.value,
        () => `config/${kind}`,
        () => listText(found.value),
      ),
      readHeaders(found),
    );
  }
  const found = await backend.query('configEntry.get', { kind, name }, options);
  const headers = readHeaders(found);
  const entry = found.value;
  if (entry !== null)
    return json(
      encodings.object(entry, () => encodeConfigEntry(entry)),
      headers,
    );
  throw new ErrorWithHeaders(notFound(`Config entry not found for "${kind}" / "${name}"`), headers);
}

function listText(entries: readonly ConfigEntry[]): string {
  return `[${entries.map(encodeConfigEntry).join(',')}]`;
}

async function remove({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { kind, name } = splitPath(request.rest);
  if (kind === '' || name === '') throw notFound('Must provide both a kind and name to delete');
  if (!configEntryKinds.includes(kind)) throw new HttpError(400, invalidKind(kind));
  const cas = casOf(request);
  const deleted = await backend.apply('configEntry.delete', { Kind: kind, Name: name, ...cas }, callerOf(request, ''));
  return 'Cas' in cas ? json(deleted) : json({});
}
