/**
 * `/v1/session`: sessions that hold locks. The body of a creation is read with more tolerance than others (unknown
 * members, numbers for durations), since old clients rely on it.
 */
import { parseDuration, second } from '../../../std/duration.ts';
import { type Infer, type Session, s, session } from '../../../structs/index.ts';
import type { Answer as Found } from '../../backend.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { HttpError } from '../errors.ts';
import { callerOf, readHeaders, readOf, withFailedHeaders } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Handler, Route } from '../route.ts';
import type { RouteContext } from './context.ts';
import { logged } from './logged.ts';

export function sessionRoutes(context: RouteContext): Route[] {
  const routes: [path: string, method: 'GET' | 'PUT', handle: (request: ApiRequest) => Promise<Answer>][] = [
    ['/v1/session/create', 'PUT', (request) => create(context, request)],
    ['/v1/session/destroy/', 'PUT', (request) => destroy(context, request)],
    ['/v1/session/renew/', 'PUT', (request) => renew(context, request)],
    ['/v1/session/info/', 'GET', (request) => info(context, request)],
    ['/v1/session/node/', 'GET', (request) => ofNode(context, request)],
    ['/v1/session/list', 'GET', (request) => list(context, request)],
  ];
  return routes.map(([path, method, handle]) => ({
    path,
    methods: [method],
    namespaced: true,
    handle: handle as Handler,
  }));
}

const creation = s.record('SessionRequest', {
  Name: s.string(),
  Node: s.string(),
  LockDelay: s.json(),
  Behavior: s.string(),
  TTL: s.string(),
  NodeChecks: s.list(s.string()),
  ServiceChecks: s.list(s.record('ServiceCheck', { ID: s.string(), Namespace: s.string() })),
  Checks: s.list(s.string()),
});
type Creation = Infer<typeof creation>;

const nodeHealth = 'serfHealth';
const lockDelayDefault = 15 * second;

async function create({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const asked =
    (request.contentLength ?? 0) > 0 ? await decodeBody(request, creation, { unknown: 'ignore' }) : creation.zero();
  const ID = await beforeLog(
    backend.apply(
      'session.create',
      {
        ID: '',
        Name: asked.Name,
        Node: asked.Node === '' ? backend.nodeName : asked.Node,
        LockDelay: lockDelayOf(asked.LockDelay),
        Behavior: asked.Behavior,
        TTL: asked.TTL,
        ...checksOf(asked),
        ServiceChecks: asked.ServiceChecks,
      },
      callerOf(request),
    ),
  );
  return json({ ID });
}

/** Anything below 1,000 ns is taken for seconds: `15` is 15 s, and so is `"15ns"`. */
function lockDelayOf(value: unknown): number {
  let ns = lockDelayDefault;
  if (typeof value === 'number') ns = Math.trunc(value);
  if (typeof value === 'string') {
    const parsed = parseDuration(value);
    if (!parsed.ok) throw new HttpError(400, `Request decode failed: ${parsed.error}`);
    ns = parsed.value;
  }
  return ns < 1000 ? ns * second : ns;
}

/**
 * `Checks` is the old name of `NodeChecks`. Absent ones stand for the node's own health; an old list beside is kept as
 * such unless it, or the new one, says no more than the default.
 */
function checksOf({ Checks, NodeChecks }: Creation): Pick<Session, 'Checks' | 'NodeChecks'> {
  const nodeChecks = Checks !== null && Checks.length === 0 ? [] : (NodeChecks ?? [nodeHealth]);
  const onlyDefault = Checks === null || (Checks.length === 1 && Checks[0] === nodeHealth);
  return { Checks: onlyDefault || nodeChecks.length === 0 ? null : Checks, NodeChecks: nodeChecks };
}

async function destroy({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const ID = idOf(request);
  return json(await logged(backend.apply('session.destroy', { ID }, callerOf(request)), 'apply failed: '));
}

async function renew({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const id = idOf(request);
  const renewed = await backend.call('session.renew', { id }, callerOf(request));
  if (renewed === null) throw new HttpError(404, `Session id '${id}' not found`);
  return json(new Encoded(Buffer.from(sessions.text([renewed]))));
}

const sessions = s.list(session, '[]');

function answer(found: Found<readonly Session[]>): Answer {
  return json(new Encoded(Buffer.from(sessions.text(found.value))), readHeaders(found));
}

async function info({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const id = idOf(request);
  const found = await withFailedHeaders(() => backend.query('session.info', { id }, options));
  return answer({ ...found, value: found.value === null ? [] : [found.value] });
}

async function ofNode({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  if (request.rest === '') throw new HttpError(400, 'Missing node name');
  return answer(await withFailedHeaders(() => backend.query('session.node', { node: request.rest }, options)));
}

async function list({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  return answer(await withFailedHeaders(() => backend.query('session.list', {}, options)));
}

function idOf(request: ApiRequest): string {
  if (request.rest === '') throw new HttpError(400, 'Missing session');
  return request.rest;
}

/** Refused before it was proposed: what is wrong with the request alone. Anything else the state refused. */
const beforeLogTexts = /^(Must provide|Invalid Behavior|Invalid Session TTL|Session TTL)/;

function beforeLog<T>(work: Promise<T>): Promise<T> {
  return logged(work, (text) => (beforeLogTexts.test(text) ? '' : 'apply failed: '));
}
