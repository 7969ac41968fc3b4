/** `/v1/health`: checks by node, service and state, and the instances of a service with their checks. */
import { type CheckServiceNode, checkServiceNode, type HealthCheck, healthCheck } from '../../../structs/index.ts';
import { HttpError } from '../errors.ts';
import { answerList, type ListRead } from '../list-reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { nodeMetaOf, passingOf } from '../selection.ts';
import type { RouteContext } from './context.ts';

export function healthRoutes(context: RouteContext): Route[] {
  return [
    route(context, '/v1/health/node/', nodeChecks(context)),
    route(context, '/v1/health/checks/', serviceChecks(context)),
    route(context, '/v1/health/state/', stateChecks(context)),
    route(context, '/v1/health/service/', instances(context, 'health.service')),
    route(context, '/v1/health/connect/', instances(context, 'health.connect')),
  ];
}

function route<Row>(context: RouteContext, path: string, read: ListRead<Row>): Route {
  return { path, methods: ['GET'], namespaced: true, handle: (request) => answerList(context, request, read) };
}

const checks = { row: healthCheck, headersOnFailure: true } as const;
const nodeOf = ({ Node }: { readonly Node: string }): string => Node;

function nodeChecks({ backend }: RouteContext): ListRead<HealthCheck> {
  return {
    ...checks,
    missing: 'Missing node name',
    fetch: (request, options) => backend.query('health.node', { node: request.rest }, options),
  };
}

function serviceChecks({ backend }: RouteContext): ListRead<HealthCheck> {
  return {
    ...checks,
    missing: 'Missing service name',
    nodeOf,
    fetch: (request, options) =>
      backend.query('health.checks', { service: request.rest, nodeMeta: nodeMetaOf(request) }, options),
  };
}

function stateChecks({ backend }: RouteContext): ListRead<HealthCheck> {
  return {
    ...checks,
    missing: 'Missing check state',
    nodeOf,
    fetch: (request, options) =>
      backend.query('health.state', { state: request.rest, nodeMeta: nodeMetaOf(request) }, options),
  };
}

/** The instances of a service, or those that serve mutual TLS for it. */
function instances({ backend }: RouteContext, name: 'health.service' | 'health.connect'): ListRead<CheckServiceNode> {
  return {
    row: checkServiceNode,
    missing: 'Missing service name',
    nodeOf: ({ Node }) => Node.Node,
    cacheable: true,
    streams: true,
    headersOnFailure: false,
    fetch(request, options) {
      const selection = {
        name: request.rest,
        tags: request.query.all('tag'),
        nodeMeta: nodeMetaOf(request),
        passing: passingOf(request) === true,
      };
      return backend.query(name, selection, options);
    },
    afterwards: refuseBadPassing,
  };
}

function refuseBadPassing(request: ApiRequest): void {
  if (passingOf(request) === 'invalid') throw new HttpError(400, 'Invalid value for ?passing');
}
