/**
 * `/v1/connect/intentions`: who may talk to whom, a pair at a time. What is stored are `service-intentions` config entries.
 *
 *     GET, POST         /v1/connect/intentions          list, create with an id
 *     GET, PUT, DELETE  /v1/connect/intentions/:id      by that id
 *     GET, PUT, DELETE  …/exact?source=&destination=    by names
 *     GET               …/match?by=&name=               what speaks about a service
 *     GET               …/check?source=&destination=    the decision; with `explain`, why
 */

import { type DefaultPolicy, decide, explain } from '../../../mesh/index.ts';
import { type Awaitable, andThen } from '../../../std/awaitable.ts';
import { encode, type Intention, intention, intentionIdFault, s } from '../../../structs/index.ts';
import { meshOf, rowOf } from '../../decision-cache.ts';
import { compileFilter, filterErrorPrefix } from '../../filter/index.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { decodeBody, decodeValue, jsonBody } from '../body.ts';
import { badRequest, HttpError, notFound } from '../errors.ts';
import { encodeJson } from '../go-json.ts';
import { missing, onlyValue, parseName, type QualifiedName, refuseOtherNamespace } from '../intention-names.ts';
import { callerOf, readHeaders, readOf, withFailedHeaders } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { clientOf } from './authorize.ts';
import type { RouteContext } from './context.ts';

const base = '/v1/connect/intentions';

export function intentionRoutes(context: RouteContext): Route[] {
  return [
    {
      path: base,
      methods: ['GET', 'POST'],
      namespaced: true,
      handle: (request) => (request.method === 'GET' ? list(context, request) : create(context, request)),
    },
    { path: `${base}/match`, methods: ['GET'], namespaced: true, handle: (request) => match(context, request) },
    { path: `${base}/check`, methods: ['GET'], namespaced: true, handle: (request) => check(context, request) },
    {
      path: `${base}/exact`,
      methods: ['GET', 'PUT', 'DELETE'],
      namespaced: true,
      handle(request) {
        if (request.method === 'GET') return getExact(context, request);
        return request.method === 'PUT' ? putExact(context, request) : deleteExact(context, request);
      },
    },
    {
      path: `${base}/`,
      methods: ['GET', 'PUT', 'DELETE'],
      namespaced: true,
      handle(request) {
        if (request.method === 'GET') return getById(context, request);
        return request.method === 'PUT' ? putById(context, request) : deleteById(context, request);
      },
    },
  ];
}

const intentions = s.list(intention, '[]');
/** What a filter cannot ask for. */
const excluded: ReadonlySet<string> = new Set(
  'CreatedAt UpdatedAt Permissions DefaultAddr DefaultPort Hash CreateIndex ModifyIndex'.split(' '),
);

async function list({ backend, defaults, encodings }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  return withFailedHeaders(async () => {
    const filter = compileFilter(intention, request.query.get('filter'), excluded);
    if (!filter.ok) throw new HttpError(500, filterErrorPrefix + filter.error.text);
    const found = await backend.query('intention.list', {}, options);
    if (request.query.get('filter') === '') {
      return json(
        encodings.object(found.value, () => intentions.text(found.value)),
        readHeaders(found),
      );
    }
    return encoded(intentions.text(found.value.filter(filter.value)), readHeaders(found));
  });
}

async function create({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const failed = 'Failed to decode request body: ';
  const value = await jsonBody(request, failed).catch(asServerError);
  if (value === null) throw new HttpError(400, `${failed}null is not an intention`);
  let decoded: Intention;
  try {
    decoded = decodeValue(value, intention, { prefix: failed });
  } catch (error) {
    return asServerError(error);
  }
  if (decoded.ID !== '') throw new HttpError(500, 'ID must be empty when creating a new intention');
  const ID = await backend.apply('intention.create', { Intention: withDefaults(decoded) }, callerOf(request));
  return json({ ID });
}

/** What is wrong with the body of a POST is a 500, as existing tools see it. */
function asServerError(error: unknown): never {
  throw error instanceof HttpError ? new HttpError(500, error.message) : error;
}

function withDefaults(given: Intention): Intention {
  for (const side of ['SourceNS', 'DestinationNS'] as const) {
    if (given[side] === '' || given[side] === 'default') continue;
    throw badRequest(`Invalid ${side}(${given[side]}): Namespaces is a Consul Enterprise feature`);
  }
  return { ...given, SourceType: given.SourceType === '' ? 'consul' : given.SourceType };
}

const decodeFailed = { prefix: 'Bad request: Request decode failed: ' };

async function getById({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  if (request.rest === '') throw notFound('Intention not found');
  const fault = intentionIdFault(request.rest);
  if (fault !== null) throw badRequest(fault);
  return found((await backend.query('intention.get', { id: request.rest }, options)).value);
}

async function putById({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const decoded = await decodeBody(request, intention, decodeFailed);
  const args = { ID: request.rest, Intention: withDefaults(decoded) };
  return json({ ID: await backend.apply('intention.update', args, callerOf(request)) });
}

async function deleteById({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  return json(await backend.apply('intention.delete', { ID: request.rest }, callerOf(request)));
}

async function getExact({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const pair = pairOf(request);
  refuseOtherNamespace(pair.source, 'SourceNS');
  refuseOtherNamespace(pair.destination, 'DestinationNS');
  const names = { source: pair.source.name, destination: pair.destination.name };
  return found((await backend.query('intention.exact', names, options)).value);
}

async function putExact({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { Source, Destination } = writtenPair(request);
  const { Action, Permissions, Description, SourceType, Meta } = await decodeBody(request, intention, decodeFailed);
  const args = { Source, Destination, Action, Permissions, Description, Type: SourceType, Meta };
  return json(await backend.apply('intention.upsert', args, callerOf(request)));
}

async function deleteExact({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  return json(await backend.apply('intention.deleteExact', writtenPair(request), callerOf(request)));
}

interface Pair {
  readonly source: QualifiedName;
  readonly destination: QualifiedName;
}

function pairOf({ query }: ApiRequest): Pair {
  const source = onlyValue(query, 'source');
  const destination = onlyValue(query, 'destination');
  return {
    source: parseName(source, 'source', { uris: true }),
    destination: parseName(destination, 'destination', { uris: false }),
  };
}

/** Writes refuse empty names and take any namespace for the one there is. */
function writtenPair(request: ApiRequest): { readonly Source: string; readonly Destination: string } {
  for (const side of ['source', 'destination']) {
    if (onlyValue(request.query, side) === '') throw missing(side);
  }
  const { source, destination } = pairOf(request);
  return { Source: source.name, Destination: destination.name };
}

function match({ backend, defaults, encodings, mesh }: RouteContext, request: ApiRequest): Awaitable<Answer> {
  const { parameters, options } = readOf(request, defaults);
  const by = onlyValue(request.query, 'by');
  if (by !== 'source' && by !== 'destination') {
    throw new HttpError(500, "'by' parameter must be one of 'source' or 'destination'");
  }
  const asked = request.query.all('name');
  if (asked.length === 0) throw missing('name');
  const names = asked.map((name) => parseName(name, 'name', { uris: by === 'source' }));
  return withFailedHeaders(async () => {
    for (const name of names) refuseOtherNamespace(name, 'match entry namespace');
    const args = { by, names: names.map(({ name }) => name) } as const;
    return andThen(backend.query('intention.match', args, options), (answer) => {
      const question = (): string => `match/${by}/${asked.join('\0')}`;
      const body = encodings.list(answer.value, question, () => matchText(asked, answer.value));
      const headers = { ...readHeaders(answer, parameters.consistency), ...defaultPolicyHeader(mesh.defaultPolicy) };
      return json(body, headers);
    });
  });
}

/** For proxies, which decide by what they read here: the header of ACLs does not say what holds between services. */
function defaultPolicyHeader({ allow, from }: DefaultPolicy): Record<string, string> {
  return from === 'intention-policy' ? { [defaultIntentionPolicyHeader]: allow ? 'allow' : 'deny' } : {};
}
const defaultIntentionPolicyHeader = 'X-Heddle-Default-Intention-Policy';

/** An object by the names as typed, in their order as texts. */
function matchText(asked: readonly string[], value: readonly (readonly Intention[])[]): string {
  const byName = new Map(asked.map((name, i) => [name, value[i] ?? []] as const));
  const members = [...byName.keys()].sort().map((name) => `${encodeJson(name)}:${intentions.text(byName.get(name)!)}`);
  return `{${members.join(',')}}`;
}

function check({ backend, defaults, mesh: settings }: RouteContext, request: ApiRequest): Awaitable<Answer> {
  const { options } = readOf(request, defaults);
  const { source, destination } = pairOf(request);
  const type = request.query.get('source-type');
  if (type !== '' && type !== 'consul') throw new HttpError(500, `unsupported SourceType: ${JSON.stringify(type)}`);
  refuseOtherNamespace(source, 'source namespace');
  refuseOtherNamespace(destination, 'destination namespace');

  return andThen(backend.query('intention.ground', { destination: destination.name }, options), ({ value: ground }) => {
    const mesh = meshOf(ground, settings);
    const client = clientOf(source.name, mesh);
    const row = rowOf(ground.exact);
    const wildcardRow = rowOf(ground.wildcard);
    if (request.query.has('explain')) return json(explain(client, row, wildcardRow, mesh));
    return decide(client, row, wildcardRow, mesh).allowed ? allowed : refused;
  });
}

const allowed = json({ Allowed: true });
const refused = json({ Allowed: false });

function found(value: Intention | null): Answer {
  if (value === null) throw notFound('Intention not found');
  return encoded(encode(intention, value));
}

function encoded(text: string, headers?: Record<string, string>): Answer {
  return json(new Encoded(Buffer.from(text)), headers);
}
