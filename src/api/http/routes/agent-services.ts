/** `/v1/agent/service(s)`: what runs here, and registering it. */
import { createHash } from 'node:crypto';
import { parseDuration } from '../../../std/duration.ts';
import { type AgentService, agentService, agentServices, encode, serviceRegistration } from '../../../structs/index.ts';
import type { LocalAgent } from '../../local-agent.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { HttpError } from '../errors.ts';
import { parseBool } from '../read-parameters.ts';
import { callerOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { filterOf } from '../selection.ts';
import { done, enableOf, parameter, route } from './agent-support.ts';

export function agentServiceRoutes(agent: LocalAgent): Route[] {
  return [
    { ...route('GET', '/v1/agent/services', (request) => services(agent, request)), namespaced: true },
    { ...route('GET', '/v1/agent/service/', (request) => service(agent, request)), namespaced: true },
    { ...route('PUT', '/v1/agent/service/register', (request) => register(agent, request)), namespaced: true },
    {
      ...route('PUT', '/v1/agent/service/deregister/', (request) =>
        done(() => agent.deregisterService(parameter(request))),
      ),
      namespaced: true,
    },
    { ...route('PUT', '/v1/agent/service/maintenance/', (request) => maintenance(agent, request)), namespaced: true },
  ];
}

function services(agent: LocalAgent, request: ApiRequest): Answer {
  const keep = filterOf(request, agentService);
  const all = Object.entries(agent.services());
  const kept = keep === undefined ? all : all.filter(([, item]) => keep(item));
  return json(encoded(encode(agentServices, Object.fromEntries(kept))));
}

async function register(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const definition = await decodeBody(request, serviceRegistration);
  return done(() =>
    agent.registerService(definition, {
      token: request.token,
      replaceChecks: replaceChecks(request),
      caller: callerOf(request, ''),
    }),
  );
}

/** `?replace-existing-checks`, without a value or with a true one. */
function replaceChecks({ query }: ApiRequest): boolean {
  if (!query.has('replace-existing-checks')) return false;
  const value = query.get('replace-existing-checks');
  return value === '' || parseBool(value) === true;
}

async function maintenance(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const id = parameter(request);
  if (id === '') throw new HttpError(400, 'Missing service ID');
  const enable = enableOf(request);
  const reason = request.query.get('reason');
  return done(() => agent.setMaintenance(id, enable ? reason : undefined, request.token));
}

const waitMsDefault = 300_000;
const waitMsMax = 600_000;

/** One service. With the hash that the caller knows (`?hash=`) it waits until there is another. */
async function service(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const id = parameter(request);
  const known = request.query.get('hash');
  const wait = waitMs(request);
  const first = current(agent, id);
  if (known === '' || known !== first.hash) return answerOf(first);
  await changed(agent, id, known, wait, request.signal);
  return answerOf(current(agent, id));
}

function waitMs({ query }: ApiRequest): number {
  const text = query.get('wait');
  if (text === '') return waitMsDefault;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new HttpError(400, 'Invalid wait time');
  const ms = parsed.value / 1e6;
  const bounded = ms <= 0 ? waitMsDefault : Math.min(ms, waitMsMax);
  return bounded + (bounded / 16) * Math.random();
}

interface Hashed {
  readonly service: AgentService;
  readonly hash: string;
}

function current(agent: LocalAgent, id: string): Hashed {
  const found = Object.hasOwn(agent.services(), id) ? agent.services()[id] : undefined;
  if (found === undefined) throw new HttpError(404, `unknown service ID: ${id}`);
  const hash = createHash('sha256').update(encode(agentService, found)).digest('hex').slice(0, 16);
  return { service: found, hash };
}

function answerOf({ service: found, hash }: Hashed): Answer {
  const body = encode(agentService, { ...found, ContentHash: hash });
  return json(encoded(body), { 'X-Consul-Contenthash': hash });
}

/** Resolves when the hash is another, the service is gone, the time is over, or the client went away. */
function changed(agent: LocalAgent, id: string, known: string, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      unwatch();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    const unwatch = agent.watchService(id, () => {
      if (!Object.hasOwn(agent.services(), id) || current(agent, id).hash !== known) end();
    });
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

export function encoded(text: string): Encoded {
  return new Encoded(Buffer.from(text));
}
