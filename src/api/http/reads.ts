/**
 * What reads of the catalog, health, keys and sessions have in common: parameters to backend options, the answer's index
 * and leader headers, and the headers that a failed read still carries.
 */
import type { Awaitable } from '../../std/awaitable.ts';
import type { Answer as BackendAnswer, Caller, ReadOptions } from '../backend.ts';
import type { Headers } from './answer.ts';
import { ErrorWithHeaders } from './errors.ts';
import { type ReadDefaults, type ReadParameters, readParameters } from './read-parameters.ts';
import type { ApiRequest } from './request.ts';

export interface Read {
  readonly parameters: ReadParameters;
  readonly options: ReadOptions;
}

export function callerOf(request: ApiRequest, datacenter = request.query.get('dc')): Caller {
  return {
    token: request.token,
    address: request.remoteAddress,
    call: `${request.method} ${request.path}`,
    datacenter,
  };
}

/** Reads the common parameters; throws what is wrong with them as a 400. */
export function readOf(request: ApiRequest, defaults: ReadDefaults): Read {
  const parameters = readParameters(request, defaults);
  const { consistency, maxStaleMs, minIndex, waitMs } = parameters;
  const options: { -readonly [K in keyof ReadOptions]: ReadOptions[K] } = { caller: callerOf(request), consistency };
  if (maxStaleMs !== undefined) options.maxStaleMs = maxStaleMs;
  if (minIndex > 0) {
    options.minIndex = minIndex;
    options.signal = request.signal;
    if (waitMs > 0) options.waitMs = waitMs;
  }
  return { parameters, options };
}

type Backing = 'blocking-query' | 'streaming';

/** `consistency`: shown by catalog and health reads only. */
export function readHeaders(
  answer: Omit<BackendAnswer<unknown>, 'value' | 'notFound'>,
  consistency?: ReadParameters['consistency'],
  backing: Backing = 'blocking-query',
): Record<string, string> {
  const headers: Record<string, string> = {
    'X-Consul-Index': String(Math.max(answer.index, 1)),
    'X-Consul-Knownleader': String(answer.knownLeader),
    'X-Consul-Lastcontact': String(Math.round(answer.lastContactMs)),
    'X-Consul-Query-Backend': backing,
  };
  if (consistency !== undefined) {
    headers['X-Consul-Effective-Consistency'] = consistency === 'default' ? 'leader' : consistency;
  }
  return headers;
}

export const failedReadHeaders: Headers = {
  'X-Consul-Index': '1',
  'X-Consul-Knownleader': 'false',
  'X-Consul-Lastcontact': '0',
  'X-Consul-Query-Backend': 'blocking-query',
};

/** Runs a read; if it fails, its error carries the headers of a failed read. */
export function withFailedHeaders<T>(work: () => Awaitable<T>): Awaitable<T> {
  try {
    const answer = work();
    return answer instanceof Promise ? answer.catch(failWithHeaders) : answer;
  } catch (error) {
    return failWithHeaders(error);
  }
}

function failWithHeaders(error: unknown): never {
  throw error instanceof ErrorWithHeaders ? error : new ErrorWithHeaders(error, failedReadHeaders);
}
