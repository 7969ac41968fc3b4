/** `/v1/operator/keyring`: the keys that encrypt gossip, on all members at once. */
import { s } from '../../../structs/index.ts';
import { type Keyring, relaysMax } from '../../keyring.ts';
import { type Answer, json, nothing } from '../answer.ts';
import { decodeBody } from '../body.ts';
import { badRequest } from '../errors.ts';
import { signedProblem } from '../numbers.ts';
import { parseBool } from '../read-parameters.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';

const body = s.record('KeyringRequest', { Key: s.string() });

export function keyringRoutes(keyring: Keyring): Route[] {
  return [
    {
      path: '/v1/operator/keyring',
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      handle: (request) => serve(keyring, request),
    },
  ];
}

async function serve(keyring: Keyring, request: ApiRequest): Promise<Answer> {
  const { method } = request;
  const key =
    method === 'GET'
      ? ''
      : (await decodeBody(request, body, { prefix: 'Bad request: Request decode failed: ', unknown: 'ignore' })).Key;
  const relayFactor = relaysOf(request);
  const localOnly = localOnlyOf(request);
  if (method === 'GET') return json(await keyring.list({ localOnly, relayFactor }));
  await keyring.change(method === 'POST' ? 'install' : method === 'PUT' ? 'use' : 'remove', key, { relayFactor });
  return nothing();
}

function relaysOf({ query }: ApiRequest): number {
  const text = query.get('relay-factor');
  if (text === '') return 0;
  const problem = signedProblem(text);
  if (problem !== undefined) throw badRequest(`Error parsing relay factor: ${problem}`);
  if (Number(text) < 0 || Number(text) > relaysMax) {
    throw badRequest(`Invalid relay-factor: Relay factor must be in range: [0, ${relaysMax}]`);
  }
  return Number(text);
}

function localOnlyOf({ query, method }: ApiRequest): boolean {
  const text = query.get('local-only');
  if (text === '') return false;
  const value = parseBool(text);
  if (value === undefined) {
    throw badRequest(`Error parsing local-only: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  if (method !== 'GET') {
    throw badRequest('Invalid use of local-only: local-only can only be set for list requests');
  }
  return value;
}
