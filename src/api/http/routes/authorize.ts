/**
 * `POST /v1/agent/connect/authorize`: may this certificate open a connection to that service? Proxies that ask an agent
 * for each connection ask here; those that hold the intentions themselves decide with the same function.
 *
 * What a destination's decisions rest on is kept by the agent and renewed by a blocking read the moment it changes, so
 * connections are decided without a server, also while there is none.
 */
import { parseSpiffe } from '../../../ca/identity/index.ts';
import type { DecisionGround } from '../../../fsm/index.ts';
import { type Client, clientNamed, decide, type Mesh, reasonOf } from '../../../mesh/index.ts';
import { foldDestination, isUriSource, s } from '../../../structs/index.ts';
import { meshOf, rowOf } from '../../decision-cache.ts';
import type { Cached } from '../agent-cache.ts';
import { type Answer, json } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { badRequest } from '../errors.ts';
import { callerOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

/** The serial is read and not used: it would serve a revocation list. */
const authorizeRequest = s.record('ConnectAuthorizeRequest', {
  Target: s.string(),
  ClientCertURI: s.string(),
  ClientCertSerial: s.string(),
});

export function authorizeRoutes(context: RouteContext): Route[] {
  return [{ path: '/v1/agent/connect/authorize', methods: ['POST'], handle: (request) => authorize(context, request) }];
}

async function authorize(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const asked = await decodeBody(request, authorizeRequest, { prefix: 'Bad request: Request decode failed: ' });
  if (asked.Target === '') throw badRequest('Target service must be specified');
  const client = certifiedClient(asked.ClientCertURI);

  const { answer, hit, ageSeconds } = await keptGround(context, request, asked.Target);
  const ground = answer.value;
  const mesh = meshOf(ground, context.mesh);
  const decision = decide(client, rowOf(ground.exact), rowOf(ground.wildcard), mesh);
  const headers = { 'X-Cache': hit ? 'HIT' : 'MISS', ...(hit ? { Age: String(ageSeconds) } : {}) };
  return json({ Authorized: decision.allowed, Reason: reasonOf(decision, client, mesh) }, headers);
}

/** Kept for each token, since a token may not be allowed to see what another is. */
function keptGround(context: RouteContext, request: ApiRequest, target: string): Promise<Cached<DecisionGround>> {
  const { backend, cache } = context;
  const destination = foldDestination(target);
  // The background read outlives this request: it does not carry its signal.
  const caller = callerOf(request);
  return cache.get<DecisionGround>(
    `intention.ground/${caller.datacenter}/${caller.token}/${destination}`,
    (minIndex, signal, contact) => {
      const waiting = minIndex > 0 ? { minIndex, signal, contact } : {};
      return backend.query('intention.ground', { destination }, { caller, consistency: 'default', ...waiting });
    },
    { minIndex: 0, waitMs: 0, signal: undefined },
  );
}

function certifiedClient(uri: string): Client {
  const id = parseSpiffe(uri);
  if (!id.ok) throw badRequest('ClientCertURI not a valid Connect identifier');
  if (id.value.kind !== 'service') throw badRequest('ClientCertURI not a valid Service identifier');
  const { trustDomain, namespace, datacenter, service } = id.value;
  return { trustDomain: trustDomain.toLowerCase(), namespace, datacenter, service };
}

/** A source as people name it: a service of this mesh, or the URI of any. */
export function clientOf(source: string, mesh: Mesh): Client {
  return isUriSource(source) ? certifiedClient(source) : clientNamed(source, mesh);
}
