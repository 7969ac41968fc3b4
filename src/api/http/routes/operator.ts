/** `/v1/operator/raft` and `/v1/operator/autopilot`: who votes, who is healthy, and how the leader looks after it. */

import { HeddleError } from '../../../std/errors.ts';
import {
  autopilotConfiguration,
  autopilotHealth,
  autopilotState,
  raftConfiguration,
  type s,
} from '../../../structs/index.ts';
import { type Answer, Encoded, json, nothing } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { badRequest } from '../errors.ts';
import { unsignedProblem } from '../numbers.ts';
import { readParameters } from '../read-parameters.ts';
import { callerOf, readOf } from '../reads.ts';
import type { ApiRequest, Method } from '../request.ts';
import type { Handler, Route } from '../route.ts';
import type { RouteContext } from './context.ts';
import { logged } from './logged.ts';

export function operatorRoutes(context: RouteContext): Route[] {
  const route = (path: string, methods: readonly Method[], handle: Handler): Route => ({
    path: `/v1/operator/${path}`,
    methods,
    handle,
  });
  return [
    route('raft/configuration', ['GET'], (request) => configuration(context, request)),
    route('raft/peer', ['DELETE'], (request) => removePeer(context, request)),
    route('raft/transfer-leader', ['POST'], (request) => transferLeader(context, request)),
    route('autopilot/configuration', ['GET', 'PUT'], (request) =>
      request.method === 'GET' ? getAutopilot(context, request) : setAutopilot(context, request),
    ),
    route('autopilot/health', ['GET'], (request) => health(context, request)),
    route('autopilot/state', ['GET'], (request) => state(context, request)),
  ];
}

function encoded<T>(schema: s.Schema<T>, value: T, status?: number): Answer {
  return json(new Encoded(Buffer.from(schema.text(value))), undefined, status);
}

async function configuration({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  readParameters(request, defaults);
  return encoded(raftConfiguration, await backend.call('operator.raftConfiguration', {}, callerOf(request)));
}

async function removePeer({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const id = request.query.get('id');
  const address = request.query.get('address');
  if (id === '' && address === '') {
    throw badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  }
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  await backend.call('operator.removePeer', { id, address }, callerOf(request));
  return nothing();
}

async function transferLeader({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  return json(await backend.call('operator.transferLeader', { id: request.query.get('id') }, callerOf(request)));
}

async function getAutopilot({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const { value } = await backend.query('autopilot.configuration', {}, options);
  if (value === null) throw new HeddleError('notReady', 'autopilot config not initialized yet');
  return encoded(autopilotConfiguration, value);
}

/** Members that the body leaves out become zero. */
async function setAutopilot({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const cas = request.query.has('cas') ? casOf(request.query.get('cas')) : undefined;
  const body = await decodeBody(request, autopilotConfiguration, {
    prefix: 'Bad request: Error parsing autopilot config: ',
  });
  const { CreateIndex: _, ModifyIndex: __, ...Config } = body;
  const args = cas === undefined ? { Config } : { Config, Cas: cas };
  return json(await logged(backend.apply('autopilot.setConfiguration', args, callerOf(request))));
}

function casOf(text: string): number {
  const problem = unsignedProblem(text);
  if (problem !== undefined) throw badRequest(`Error parsing cas value: ${problem}`);
  return Number(text);
}

async function health({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const found = await backend.call('operator.autopilotHealth', {}, callerOf(request));
  return encoded(autopilotHealth, found, found.Healthy ? 200 : 429);
}

async function state({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  return encoded(autopilotState, await backend.call('operator.autopilotState', {}, callerOf(request)));
}
