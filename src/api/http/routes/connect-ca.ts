/**
 * `/v1/connect/ca` and `/v1/agent/connect/ca`: what the mesh trusts, how its authority is configured, and leaf certificates
 * for the services of this host. Private keys: a leaf's goes to whoever may write the service; the authority's goes to nobody.
 */
import { HeddleError } from '../../../std/errors.ts';
import { JsonNumber } from '../../../std/json-value.ts';
import { type CaRoots, caConfiguration, caRoots, type IssuedCert, issuedCert } from '../../../structs/index.ts';
import type { Caller } from '../../backend.ts';
import { type Answer, Encoded, json, nothing } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { badRequest } from '../errors.ts';
import { parseBool, type ReadDefaults, readParameters } from '../read-parameters.ts';
import { callerOf, readHeaders, readOf, withFailedHeaders } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

export function connectCaRoutes(context: RouteContext): Route[] {
  return [
    { path: '/v1/connect/ca/roots', methods: ['GET'], handle: (request) => roots(context, request) },
    {
      path: '/v1/connect/ca/configuration',
      methods: ['GET', 'PUT'],
      handle: (request) =>
        request.method === 'GET' ? readConfiguration(context, request) : writeConfiguration(context, request),
    },
    { path: '/v1/agent/connect/ca/roots', methods: ['GET'], handle: (request) => agentRoots(context, request) },
  ];
}

/** The leaves that an agent keeps for its services. */
export interface LeafSource {
  /** Blocks for a leaf newer than `minIndex` when that is not 0. */
  get(request: {
    readonly service: string;
    readonly caller: Caller;
    readonly minIndex: number;
    readonly waitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<IssuedCert>;
}

export function leafRoutes(leaves: LeafSource, defaults: ReadDefaults): Route[] {
  return [
    {
      path: '/v1/agent/connect/ca/leaf/',
      methods: ['GET'],
      namespaced: true,
      handle: (request) => leaf(leaves, defaults, request),
    },
  ];
}

async function roots({ backend, defaults, encodings }: RouteContext, request: ApiRequest): Promise<Answer> {
  const pem = request.query.get('pem');
  const asPem = pem === '' ? false : parseBool(pem);
  if (asPem === undefined) throw badRequest("The 'pem' query parameter must be a boolean value");
  const { options } = readOf(request, defaults);
  const found = await withFailedHeaders(async () => {
    const { value, ...answer } = await backend.query('ca.roots', {}, options);
    return { ...answer, value: initialised(value) };
  });
  if (asPem) return { status: 200, contentType: 'application/pem-certificate-chain', body: bundle(found.value) };
  return json(
    encodings.object(found.value, () => caRoots.text(found.value)),
    readHeaders(found),
  );
}

/** From the agent's cache, which one background read keeps current for everybody on the host. */
async function agentRoots(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const { backend, cache, defaults, encodings } = context;
  const { minIndex, waitMs, datacenter } = readParameters(request, defaults);
  const caller: Caller = { ...callerOf(request, datacenter), token: '' };
  const { answer, hit, ageSeconds } = await cache.get<CaRoots | null>(
    `ca.roots/${datacenter}`,
    (index, signal, contact) => {
      const blocking = index > 0 ? { minIndex: index, signal, contact } : {};
      return backend.query('ca.roots', {}, { caller, consistency: 'default', ...blocking });
    },
    { minIndex, waitMs: waitMs || agentWaitMs, signal: minIndex > 0 ? request.signal : undefined },
  );
  const value = initialised(answer.value);
  return json(
    encodings.object(value, () => caRoots.text(value)),
    { ...readHeaders(answer), 'X-Cache': hit ? 'HIT' : 'MISS', ...(hit ? { Age: String(ageSeconds) } : {}) },
  );
}

/** How long a blocking read of the agent's cache waits when the client does not say. */
const agentWaitMs = 600_000;

function initialised<T>(value: T | null): T {
  if (value === null) throw new HeddleError('not-initialized', 'CA has not finished initializing');
  return value;
}

/** Each root, then the certificates that its leaves travel with. */
function bundle({ Roots }: CaRoots): string {
  return (Roots ?? []).flatMap((root) => [root.RootCert, ...(root.IntermediateCerts ?? [])]).join('');
}

async function readConfiguration({ backend, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const { value } = await backend.query('ca.configuration', {}, options);
  return json(new Encoded(Buffer.from(caConfiguration.text(initialised(value)))));
}

async function writeConfiguration({ backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  const body = await decodeBody(request, caConfiguration, {
    prefix: 'Bad request: Request decode failed: ',
    unknown: 'ignore',
  });
  const { Provider, State, ForceWithoutCrossSigning } = body;
  const Config = plain(body.Config) as Readonly<Record<string, unknown>> | null;
  try {
    await backend.call('ca.configure', { Provider, Config, State, ForceWithoutCrossSigning }, callerOf(request));
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'config-state') throw badRequest(error.message);
    throw error;
  }
  return nothing();
}

/** Settings are small numbers: what was written `1e2` or `1.0` may be kept as its value. */
function plain(value: unknown): unknown {
  if (value instanceof JsonNumber || typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

async function leaf(leaves: LeafSource, defaults: ReadDefaults, request: ApiRequest): Promise<Answer> {
  const { minIndex, waitMs } = readParameters(request, defaults);
  const cert = await leaves.get({
    service: request.rest,
    caller: callerOf(request),
    minIndex,
    waitMs,
    ...(minIndex > 0 ? { signal: request.signal } : {}),
  });
  // A leaf is looked at anew at each read, whether it comes from the cache or not: that is what MISS says.
  const headers = { 'X-Consul-Index': String(cert.ModifyIndex), 'X-Cache': 'MISS' };
  return json(new Encoded(Buffer.from(issuedCert.text(cert))), headers);
}
