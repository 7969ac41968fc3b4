/** `/v1/coordinate`: where nodes and datacenters stand in the space of round-trip times. */
import {
  type Coordinate,
  coordinateDimensions,
  coordinateUpdate,
  datacenterCoordinates,
  nodeCoordinate,
  s,
} from '../../../structs/index.ts';
import { type Answer, Encoded, json, nothing } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { badRequest, HttpError } from '../errors.ts';
import { callerOf, readHeaders, readOf, withFailedHeaders } from '../reads.ts';
import type { ApiRequest, Method } from '../request.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

export function coordinateRoutes(context: RouteContext): Route[] {
  const route = (name: string, method: Method, handle: (request: ApiRequest) => Promise<Answer>): Route => ({
    path: `/v1/coordinate/${name}`,
    methods: [method],
    async handle(request) {
      if (context.coordinatesDisabled) throw new HttpError(401, 'Coordinate support disabled');
      return handle(request);
    },
  });
  return [
    route('datacenters', 'GET', (request) => datacenters(context, request)),
    route('nodes', 'GET', (request) => nodes(context, request)),
    route('node/', 'GET', (request) => oneNode(context, request)),
    route('update', 'PUT', (request) => update(context, request)),
  ];
}

const maps = s.list(datacenterCoordinates, '[]');
const coordinates = s.list(nodeCoordinate, '[]');

async function datacenters({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const found = await backend.call('coordinate.datacenters', {}, callerOf(request, ''));
  return json(new Encoded(Buffer.from(maps.text(found))));
}

function selectionOf({ query }: ApiRequest): { segment?: string } {
  return query.has('segment') ? { segment: query.get('segment') } : {};
}

async function nodes({ backend, defaults, encodings }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const found = await withFailedHeaders(() => backend.query('coordinate.nodes', selectionOf(request), options));
  return json(
    encodings.object(found.value, () => coordinates.text(found.value)),
    readHeaders(found),
  );
}

/** The name comes back as it was asked for. */
async function oneNode({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const args = { node: request.rest, ...selectionOf(request) };
  const found = await withFailedHeaders(() => backend.query('coordinate.node', args, options));
  if (request.rest === '' || found.value.length === 0) return nothing(404);
  const named = found.value.map((row) => ({ ...row, Node: request.rest }));
  return json(new Encoded(Buffer.from(coordinates.text(named))), readHeaders(found));
}

async function update({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { Node, Segment, Coord } = await decodeBody(request, coordinateUpdate);
  if (Coord === null) throw badRequest('Missing coordinate');
  refuseUnusable(Coord);
  await backend.call('coordinate.update', { Node, Segment, Coord }, callerOf(request));
  return nothing();
}

function refuseUnusable({ Vec, Error: error, Adjustment, Height }: Coordinate): void {
  const vector = Vec ?? [];
  if (![...vector, error, Adjustment, Height].every(Number.isFinite)) throw new HttpError(500, 'invalid coordinate');
  if (vector.length !== coordinateDimensions) throw new HttpError(500, 'incompatible coordinate');
}
