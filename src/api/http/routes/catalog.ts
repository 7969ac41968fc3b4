/** `/v1/catalog`: nodes, services, instances, and registration by whoever speaks for a node that runs no agent. */
import { andThen } from '../../../std/awaitable.ts';
import {
  type CatalogService,
  catalogService,
  deregisterRequest,
  type Node,
  type NodeService,
  node,
  nodeService,
  registerRequest,
  s,
} from '../../../structs/index.ts';

import type { ReadOptions } from '../../backend.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { HttpError } from '../errors.ts';
import { answerList, fetchCached, type ListRead } from '../list-reads.ts';
import { readParameters } from '../read-parameters.ts';
import { callerOf, readHeaders, readOf, withFailedHeaders } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { filterOf, nodeMetaOf } from '../selection.ts';
import type { RouteContext } from './context.ts';

export function catalogRoutes(context: RouteContext): Route[] {
  return [
    { path: '/v1/catalog/register', methods: ['PUT'], handle: (request) => register(context, request) },
    { path: '/v1/catalog/deregister', methods: ['PUT'], handle: (request) => deregister(context, request) },
    { path: '/v1/catalog/datacenters', methods: ['GET'], handle: (request) => datacenters(context, request) },
    { path: '/v1/catalog/nodes', methods: ['GET'], handle: (request) => answerList(context, request, nodes(context)) },
    get('/v1/catalog/services', (request) => services(context, request)),
    get('/v1/catalog/service/', (request) => answerList(context, request, instances(context, 'catalog.service'))),
    get('/v1/catalog/connect/', (request) => answerList(context, request, instances(context, 'catalog.connect'))),
    get('/v1/catalog/node/', (request) => nodeWithServices(context, request, 'map')),
    get('/v1/catalog/node-services/', (request) => nodeWithServices(context, request, 'list')),
  ];
}

function get(path: string, handle: (request: ApiRequest) => Promise<Answer>): Route {
  return { path, methods: ['GET'], namespaced: true, handle };
}

async function register({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const body = await decodeCatalogBody(request, registerRequest);
  return json(await backend.apply('catalog.register', body, callerOf(request, body.Datacenter)));
}

async function deregister({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { Datacenter, Node, ServiceID, CheckID } = await decodeCatalogBody(request, deregisterRequest);
  const args = { Datacenter, Node, ServiceID, CheckID };
  return json(await backend.apply('catalog.deregister', args, callerOf(request, Datacenter)));
}

/** These two say of a member named Namespace why it is unknown. */
async function decodeCatalogBody<T>(request: ApiRequest, schema: s.Schema<T>): Promise<T> {
  try {
    return await decodeBody(request, schema);
  } catch (error) {
    if (!(error instanceof HttpError) || !error.message.endsWith('json: unknown field "Namespace"')) throw error;
    throw new HttpError(error.status, `${error.message} - Namespaces are a Consul Enterprise feature`);
  }
}

async function datacenters(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const parameters = readParameters(request, context.defaults);
  const ask = (): Promise<readonly string[]> => context.backend.call('catalog.datacenters', {}, callerOf(request, ''));
  if (!parameters.cached) return json(await ask());
  const { value, hit, ageSeconds } = await context.cache.once('datacenters', ask, parameters);
  return json(value, hit ? { 'X-Cache': 'HIT', Age: String(ageSeconds) } : { 'X-Cache': 'MISS' });
}

function nodes({ backend }: RouteContext): ListRead<Node> {
  return {
    row: node,
    nodeOf: (row) => row.Node,
    headersOnFailure: true,
    fetch: (request, options) => backend.query('catalog.nodes', { nodeMeta: nodeMetaOf(request) }, options),
  };
}

const tagsByName = s.map(s.list(s.string(), '[]'), '{}');

async function services(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const read = readOf(request, context.defaults);
  const args = { nodeMeta: nodeMetaOf(request) };
  const { backend, encodings } = context;
  return withFailedHeaders(async () => {
    const ask = (options: ReadOptions) => backend.query('catalog.services', args, options);
    const { answer, headers } = read.parameters.cached
      ? await fetchCached(context, request, read, 'blocking-query', ask)
      : await andThen(ask(read.options), (answer) => ({
          answer,
          headers: readHeaders(answer, read.parameters.consistency),
        }));
    return json(
      encodings.object(answer.value, () => tagsByName.text(answer.value)),
      headers,
    );
  });
}

/** Tags are not looked at for the mesh form. */
function instances({ backend }: RouteContext, name: 'catalog.service' | 'catalog.connect'): ListRead<CatalogService> {
  return {
    row: catalogService,
    missing: 'Missing service name',
    nodeOf: (row) => row.Node,
    cacheable: true,
    headersOnFailure: true,
    fetch(request, options) {
      const tags = name === 'catalog.service' ? request.query.all('tag') : [];
      return backend.query(name, { name: request.rest, tags, nodeMeta: nodeMetaOf(request) }, options);
    },
  };
}

async function nodeWithServices(context: RouteContext, request: ApiRequest, form: 'map' | 'list'): Promise<Answer> {
  const { parameters, options } = readOf(request, context.defaults);
  if (request.rest === '') throw new HttpError(400, 'Missing node name');
  return withFailedHeaders(async () => {
    const keep = filterOf(request, nodeService);
    const found = await context.backend.query('catalog.node', { node: request.rest }, options);
    const headers = readHeaders(found, parameters.consistency);
    if (found.value === null) {
      return { ...json(null, headers), body: form === 'map' ? 'null' : '{"Node":null,"Services":null}' };
    }
    const { Node: of, Services } = found.value;
    return json(
      new Encoded(Buffer.from(nodeText(of, keep === undefined ? Services : Services.filter(keep), form))),
      headers,
    );
  });
}

const servicesById = s.map(nodeService, '{}');
const serviceList = s.list(nodeService, '[]');

function nodeText(of: Node, kept: readonly NodeService[], form: 'map' | 'list'): string {
  const text =
    form === 'map'
      ? servicesById.text(Object.fromEntries(kept.map((service) => [service.ID, service])))
      : serviceList.text(kept);
  return `{"Node":${node.text(of)},"Services":${text}}`;
}
