/** `/v1/agent`: this one process, what it knows of itself and its pool, and its life. */
import type { LocalAgent } from '../../local-agent.ts';
import { type Answer, json, nothing } from '../answer.ts';
import { HttpError } from '../errors.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { agentCheckRoutes } from './agent-checks.ts';
import { agentHealthRoutes } from './agent-health.ts';
import { agentMonitorRoute } from './agent-monitor.ts';
import { agentServiceRoutes } from './agent-services.ts';
import { asked, done, enableOf, parameter, route } from './agent-support.ts';

export function agentRoutes(agent: LocalAgent): Route[] {
  return [
    route('GET', '/v1/agent/self', async () => json(await agent.self())),
    route('GET', '/v1/agent/host', async () => json(await agent.host())),
    route('GET', '/v1/agent/metrics', (request) => metrics(agent, request)),
    route('GET', '/v1/agent/members', (request) => members(agent, request)),
    route('PUT', '/v1/agent/join/', (request) => done(() => agent.join(parameter(request), poolOf(request)))),
    route('PUT', '/v1/agent/leave', () => done(() => agent.leave())),
    route('PUT', '/v1/agent/force-leave/', (request) =>
      done(() =>
        agent.forceLeave(parameter(request), {
          prune: request.query.has('prune'),
          wan: request.query.has('wan'),
        }),
      ),
    ),
    route('PUT', '/v1/agent/reload', () => done(() => agent.reload())),
    route('PUT', '/v1/agent/maintenance', (request) => maintenance(agent, request)),
    route('PUT', '/v1/agent/token/', (request) => token(agent, request)),
    agentMonitorRoute(agent),
    ...agentServiceRoutes(agent),
    ...agentCheckRoutes(agent),
    ...agentHealthRoutes(agent),
  ];
}

/** Any value that is not empty means the WAN, `false` too. */
const poolOf = ({ query }: ApiRequest): 'lan' | 'wan' => (query.get('wan') === '' ? 'lan' : 'wan');

async function members(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const pool = poolOf(request);
  const segment = request.query.get('segment');
  if (segment !== '' && pool === 'wan') throw new HttpError(400, 'Cannot provide a segment with wan=true');
  if (segment !== '' && segment !== '_all') {
    throw new HttpError(500, 'Network segments are not supported in this version of Consul');
  }
  return json(await asked(() => agent.members(pool)));
}

async function maintenance(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const enable = enableOf(request);
  const reason = request.query.get('reason');
  return done(() => agent.setMaintenance(undefined, enable ? reason : undefined, request.token));
}

async function token(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  if (!agent.aclsEnabled) throw new HttpError(401, 'ACL support disabled');
  throw new HttpError(404, `Token ${JSON.stringify(parameter(request))} is unknown`);
}

/** JSON, or the text that Prometheus reads when it is asked for or accepted. */
async function metrics(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const accept = request.header('accept') ?? '';
  const text =
    request.query.get('format') === 'prometheus' ||
    accept.includes('application/openmetrics-text') ||
    /text\/plain;\s*version=0\.(0\.4|4\.0)/.test(accept);
  if (!text) return json(await agent.metrics());
  const exposition = await agent.prometheus();
  if (exposition === undefined) {
    throw new HttpError(415, 'Prometheus is not enabled since its retention time is not positive');
  }
  return { ...nothing(), contentType: exposition.contentType, body: exposition.text };
}
