/**
 * `/v1/agent/health/service`: how a local service is, as a status code for load balancers: 200 passing, 429 warning, 503
 * critical or in maintenance, 404 unknown. Checks of the node count.
 */
import {
  type AgentHealth,
  type AgentService,
  agentHealth,
  agentHealthCheck,
  encode,
  type HealthCheck,
  jsonText,
  s,
} from '../../../structs/index.ts';
import type { LocalAgent } from '../../local-agent.ts';
import { type Answer, jsonType } from '../answer.ts';
import { badRequest, HttpError } from '../errors.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { parameter, route } from './agent-support.ts';

export function agentHealthRoutes(agent: LocalAgent): Route[] {
  return [
    { ...route('GET', '/v1/agent/health/service/id/', (request) => byId(agent, request)), namespaced: true },
    { ...route('GET', '/v1/agent/health/service/name/', (request) => byName(agent, request)), namespaced: true },
  ];
}

const statusCodes: Readonly<Record<string, number>> = { passing: 200, warning: 429, critical: 503, maintenance: 503 };
const codeOf = (status: string): number => statusCodes[status] ?? 503;

function byId(agent: LocalAgent, request: ApiRequest): Answer {
  const id = parameter(request);
  if (id === '') throw new HttpError(500, badRequest('Missing serviceID').message);
  const service = Object.hasOwn(agent.services(), id) ? agent.services()[id] : undefined;
  if (service === undefined) {
    const reason = `ServiceId ${id} not found`;
    const body = { AggregatedStatus: 'critical', Service: null, Checks: null };
    return answer(404, reason, wantsText(request) ? jsonText(reason) : encode(agentHealth, body), jsonType);
  }
  const health = healthOf(agent, service);
  const status = health.AggregatedStatus;
  if (wantsText(request)) return answer(codeOf(status), status, status, 'text/plain');
  return answer(codeOf(status), status, encode(agentHealth, health), jsonType);
}

const list = s.list(agentHealth, '[]');

function byName(agent: LocalAgent, request: ApiRequest): Answer {
  const name = parameter(request);
  if (name === '') throw new HttpError(500, badRequest('Missing service Name').message);
  const found = Object.values(agent.services()).filter((service) => service.Service === name);
  const all = found.map((service) => healthOf(agent, service));
  if (all.length === 0) {
    const reason = `ServiceName ${name} Not Found`;
    return wantsText(request) ? answer(404, reason, reason, 'text/plain') : answer(404, reason, '[]', jsonType);
  }
  const worst = worstOf(all.map((health) => health.AggregatedStatus));
  if (wantsText(request)) return answer(codeOf(worst), worst, worst, 'text/plain');
  return answer(codeOf(worst), worst, list.text(all), jsonType);
}

function answer(status: number, reason: string, body: string, contentType: string): Answer {
  return { status, contentType, body, headers: { 'X-Consul-Reason': reason } };
}

/** An Accept header that begins with `text/plain` wins over `?format`. */
function wantsText(request: ApiRequest): boolean {
  if ((request.header('accept') ?? '').startsWith('text/plain')) return true;
  return request.query.get('format') === 'text';
}

function healthOf(agent: LocalAgent, service: AgentService): AgentHealth {
  const checks = Object.values(agent.checks()).filter(
    (check) => check.ServiceID === '' || check.ServiceID === service.ID,
  );
  return { AggregatedStatus: aggregate(checks), Service: service, Checks: checks.map(olderShape) };
}

const definition = agentHealthCheck.zero().Definition;

function olderShape(check: HealthCheck): NonNullable<AgentHealth['Checks']>[number] {
  const { Interval: _interval, Timeout: _timeout, ExposedPort: _port, ...rest } = check;
  const tags = check.ServiceID === '' ? null : (check.ServiceTags ?? []);
  return { ...rest, ServiceTags: tags, Type: '', Definition: definition, CreateIndex: 0, ModifyIndex: 0 };
}

/** A maintenance check beats everything; a status that is none of the known makes the whole ''. */
function aggregate(checks: readonly HealthCheck[]): string {
  let worst = 'passing';
  for (const check of checks) {
    const maintenance = check.CheckID === '_node_maintenance' || check.CheckID.startsWith('_service_maintenance:');
    if (maintenance) return 'maintenance';
    if (!['passing', 'warning', 'critical'].includes(check.Status)) return '';
    worst = worstOf([worst, check.Status]);
  }
  return worst;
}

const order = ['passing', 'warning', 'critical', '', 'maintenance'];
const worstOf = (statuses: readonly string[]): string =>
  statuses.reduce((worst, status) => (order.indexOf(status) > order.indexOf(worst) ? status : worst), 'passing');
