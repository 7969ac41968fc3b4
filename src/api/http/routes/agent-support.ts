/** What the `/v1/agent` routes share: the agent's refusals as statuses, parameters that are unescaped once more. */
import { HeddleError } from '../../../std/errors.ts';
import { type Answer, nothing } from '../answer.ts';
import { HttpError } from '../errors.ts';
import { parseBool } from '../read-parameters.ts';
import type { ApiRequest, Method } from '../request.ts';
import type { Route } from '../route.ts';

/** `invalid` 400, `notFound` 404; what else is expected keeps its text and is a 500 (or what the text says). */
export async function asked<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'invalid') throw new HttpError(400, error.message);
    if (error instanceof HeddleError && error.code === 'notFound') throw new HttpError(404, error.message);
    throw error;
  }
}

/** The same, for what answers nothing. */
export async function done(work: () => unknown): Promise<Answer> {
  await asked(work);
  return nothing();
}

/** The parameter behind a path of the agent. The reference unescapes it once more than other families do. */
export function parameter(request: ApiRequest): string {
  const text = request.rest;
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text);
  if (bad !== null) {
    throw new HttpError(
      500,
      `failure in unescaping path param ${JSON.stringify(text)}: invalid URL escape ${JSON.stringify(bad[0])}`,
    );
  }
  try {
    return text.includes('%') ? decodeURIComponent(text) : text;
  } catch {
    throw new HttpError(500, `failure in unescaping path param ${JSON.stringify(text)}: invalid URL escape`);
  }
}

/** `?enable=` of the maintenance endpoints. */
export function enableOf({ query }: ApiRequest): boolean {
  const text = query.get('enable');
  if (text === '') throw new HttpError(400, 'Missing value for enable');
  const value = parseBool(text);
  if (value === undefined) throw new HttpError(400, `Invalid value for enable: ${JSON.stringify(text)}`);
  return value;
}

export function route(method: Method, path: string, handle: Route['handle']): Route {
  return { path, methods: [method], handle };
}
