/**
 * What a door is made of: a list of routes. A route names a path, its methods and a handler; everything that all
 * endpoints share (redirects, 405, tokens, blocked endpoints, encodings, error texts) is done around it by `door.ts`.
 *
 * A path that ends in `/` stands for everything below it (`/v1/kv/` serves `/v1/kv/a/b`); any other is exact.
 */
import type { Awaitable } from '../../std/awaitable.ts';
import type { Answer } from './answer.ts';
import type { ApiRequest, Method } from './request.ts';

export interface Route {
  readonly path: string;
  /** In the order in which `Allow` lists them. OPTIONS is answered for every route and not listed here. */
  readonly methods: readonly Method[];
  readonly handle: Handler;
  /** Refuse `?ns=` and `X-Consul-Namespace`: set on every route whose objects would live in a namespace. */
  readonly namespaced?: boolean;
  /** Answer OPTIONS with `{}` as JSON instead of an empty body, as the prepared-query paths do. */
  readonly optionsAsJson?: boolean;
  /** Not of the API: any method, none of the API's headers, nothing checked before the handler (`/`, web files). */
  readonly bare?: boolean;
}

/** May throw as well as reject. */
export type Handler = (request: ApiRequest) => Awaitable<Answer>;
