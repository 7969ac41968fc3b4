/** `/v1/agent/check(s)`: the checks that run here, registering them, and reports for those with a TTL. */

import type { HealthCheck } from '../../../structs/index.ts';
import { agentChecks, checkRegistration, checkUpdate, encode, healthCheck } from '../../../structs/index.ts';
import { compileFilter, filterErrorPrefix, type Predicate, parseFilter } from '../../filter/index.ts';
import type { LocalAgent } from '../../local-agent.ts';
import { type Answer, json } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { HttpError } from '../errors.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { encoded } from './agent-services.ts';
import { done, parameter, route } from './agent-support.ts';

type Status = 'passing' | 'warning' | 'critical';

export function agentCheckRoutes(agent: LocalAgent): Route[] {
  const report = (verb: string, status: Status): Route =>
    route('PUT', `/v1/agent/check/${verb}/`, (request) => {
      const id = parameter(request);
      return done(() => agent.updateCheck(id, status, request.query.get('note')));
    });
  const routes = [
    route('GET', '/v1/agent/checks', (request) => checks(agent, request)),
    route('PUT', '/v1/agent/check/register', async (request) => {
      const definition = await decodeBody(request, checkRegistration);
      return done(() => agent.registerCheck(definition, request.token));
    }),
    route('PUT', '/v1/agent/check/deregister/', (request) => done(() => agent.deregisterCheck(parameter(request)))),
    report('pass', 'passing'),
    report('warn', 'warning'),
    report('fail', 'critical'),
    route('PUT', '/v1/agent/check/update/', (request) => update(agent, request)),
  ];
  return routes.map((item) => ({ ...item, namespaced: true }));
}

function checks(agent: LocalAgent, request: ApiRequest): Answer {
  const keep = filter(request.query.get('filter'));
  const all = Object.entries(agent.checks());
  const kept = keep === undefined ? all : all.filter(([, check]) => keep(check));
  return json(encoded(encode(agentChecks, Object.fromEntries(kept))));
}

/** Here, unlike elsewhere, only errors of syntax carry the prefix. */
function filter(text: string): Predicate<HealthCheck> | undefined {
  if (text === '') return undefined;
  const compiled = compileFilter(healthCheck, text);
  if (compiled.ok) return compiled.value;
  const prefix = parseFilter(text).ok ? '' : filterErrorPrefix;
  throw new HttpError(500, prefix + compiled.error.text);
}

async function update(agent: LocalAgent, request: ApiRequest): Promise<Answer> {
  const { Status: status, Output: output } = await decodeBody(request, checkUpdate);
  if (status !== 'passing' && status !== 'warning' && status !== 'critical') {
    throw new HttpError(400, `Invalid check status: '${status}'`);
  }
  const id = parameter(request);
  return done(() => agent.updateCheck(id, status, output));
}
