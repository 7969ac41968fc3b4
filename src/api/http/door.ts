/**
 * The HTTP door: takes a request through the checks that every endpoint shares and hands it to its route.
 *
 *     target unreadable      400, connection closed
 *     unprintable path       400, empty
 *     unclean path           301 to the clean one            no route        404, empty
 *     query unreadable       500, empty                      blocked         403
 *     OPTIONS                200, Allow                      wrong method    405, Allow
 *     writer not allowed     403                             namespace       400
 *     handler                its answer, or its error as `errors.ts` puts it
 *
 * The order is part of the interface: a wrong method from a forbidden address is a 405.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Awaitable } from '../../std/awaitable.ts';
import { type Answer, type Headers, nothing, text } from './answer.ts';
import { BodyBudget } from './body-budget.ts';
import { answerOfError, badRequest } from './errors.ts';
import { Mux } from './mux.ts';
import { ApiRequest, type Method, plainAddress } from './request.ts';
import { Responder } from './respond.ts';
import type { Route } from './route.ts';
import { cleanPath, escapePath, isPrintable, malformed, parseQuery, splitTarget } from './url.ts';
import { writersFrom } from './write-access.ts';

export interface DoorOptions {
  /** `acl.default_policy`, shown on every answer, also while ACLs are off. */
  readonly defaultAclPolicy: 'allow' | 'deny';
  /** `translate_wan_addrs`: announced by a header. */
  readonly translateWanAddresses: boolean;
  /** `http_config.response_headers`. */
  readonly responseHeaders: Headers;
  /** `http_config.block_endpoints`: path prefixes. */
  readonly blockEndpoints: readonly string[];
  /** `http_config.allow_write_http_from`: CIDR ranges; empty: anyone. */
  readonly allowWriteFrom: readonly string[];
  /** `disable_http_unprintable_char_filter`. */
  readonly allowUnprintablePaths: boolean;
  /** Every JSON answer is laid out for people, as with `?pretty`. */
  readonly pretty: boolean;
  /** Most bytes of large request bodies in memory at a time; what would pass it is refused with 503 and Retry-After. */
  readonly bodyBytesHeldMax: number;
}

export const doorDefaults: DoorOptions = {
  defaultAclPolicy: 'allow',
  translateWanAddresses: false,
  responseHeaders: {},
  blockEndpoints: [],
  allowWriteFrom: [],
  allowUnprintablePaths: false,
  pretty: false,
  bodyBytesHeldMax: 128 * 1024 * 1024,
};

/** Where the door reports what clients must not see. */
export interface DoorLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Every request, when its answer is out. */
  finished?(exchange: FinishedExchange): void;
}

export interface FinishedExchange {
  readonly method: string;
  /** As asked, tokens hidden. */
  readonly url: string;
  /** `ip:port` of the client. */
  readonly from: string;
  readonly status: number;
  readonly durationMs: number;
}

export class Door {
  readonly #mux: Mux;
  readonly #options: DoorOptions;
  readonly #log: DoorLog;
  readonly #bodies: BodyBudget;
  readonly #mayWrite: (address: string) => boolean;
  readonly #plain: Responder;
  /** Of requests whose path is no path: with none of the headers. */
  readonly #unreadable: Responder;
  readonly #api: Responder;

  constructor(routes: readonly Route[], options: DoorOptions, log: DoorLog) {
    this.#mux = new Mux(routes);
    this.#options = options;
    this.#log = log;
    this.#bodies = new BodyBudget(options.bodyBytesHeldMax);
    this.#mayWrite = writersFrom(options.allowWriteFrom);
    const failed = (response: ServerResponse, error: unknown): void => this.#unanswered(response.req, error);
    const plain = { compress: false, pretty: false, failed };
    this.#unreadable = new Responder({ ...plain, headers: [] });
    this.#plain = new Responder({ ...plain, headers: canonicalHeaders(options.responseHeaders) });
    this.#api = new Responder({ headers: apiHeaders(options), compress: true, pretty: options.pretty, failed });
  }

  /** Bytes of large request bodies whose answers are not out yet. */
  get heldBodyBytes(): number {
    return this.#bodies.heldBytes;
  }

  /** A listener for `http.Server`. Never rejects and never throws: what fails is answered and logged. */
  readonly listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    if (this.#log.finished !== undefined) this.#time(incoming, response);
    this.#serve(incoming, response);
  };

  #unanswered(incoming: IncomingMessage, error: unknown): void {
    this.#log.error({ error, method: incoming.method, url: withoutToken(incoming.url) }, 'http answer failed');
  }

  #time(incoming: IncomingMessage, response: ServerResponse): void {
    const startedMs = performance.now();
    const { remoteAddress = '', remotePort } = incoming.socket;
    response.once('close', () =>
      this.#log.finished?.({
        method: incoming.method ?? '',
        url: withoutToken(incoming.url) ?? '',
        from: remotePort === undefined ? '' : `${plainAddress(remoteAddress)}:${remotePort}`,
        status: response.statusCode,
        durationMs: performance.now() - startedMs,
      }),
    );
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const target = splitTarget(incoming.url ?? '/');
    if (target === malformed) {
      response.shouldKeepAlive = false;
      return this.#plain.send(incoming, response, text(400, '400 Bad Request'));
    }
    const { path } = target;
    if (!this.#options.allowUnprintablePaths && !isPrintable(path)) {
      return this.#unreadable.send(incoming, response, nothing(400));
    }
    const clean = cleanPath(path);
    const match = clean === path ? this.#mux.find(path) : { redirectTo: clean };
    if (match === undefined) return this.#plain.send(incoming, response, nothing(404));
    if ('redirectTo' in match) {
      return this.#plain.send(incoming, response, redirect(incoming, match.redirectTo, target.query));
    }
    const { route } = match;
    const responder = route.bare === true ? this.#plain : this.#api;
    const query = parseQuery(target.query);
    if (query === undefined) return responder.send(incoming, response, nothing(500));
    const refused = this.#refuse(route, path, incoming);
    if (refused !== undefined) return responder.send(incoming, response, refused);
    const rest = route.path.endsWith('/') ? path.slice(route.path.length) : '';
    const request = new ApiRequest({ incoming, response, path, rest, query, bodies: this.#bodies });
    const answer = this.#handle(route, request);
    if (!(answer instanceof Promise)) return responder.send(incoming, response, answer);
    answer.then(
      (late) => responder.send(incoming, response, late),
      (error: unknown) => responder.send(incoming, response, this.#failure(request, error)),
    );
  }

  /** Most answers are at hand; the others come when they come. */
  #handle(route: Route, request: ApiRequest): Awaitable<Answer> {
    try {
      if (route.namespaced === true) refuseNamespace(request);
      return route.handle(request);
    } catch (error) {
      return this.#failure(request, error);
    }
  }

  #failure({ method, path }: ApiRequest, error: unknown): Answer {
    const { answer, defect } = answerOfError(error);
    const fields = { method, path, status: answer.status };
    if (defect) this.#log.error({ ...fields, error }, 'http request failed');
    else this.#log.debug({ ...fields, text: answer.body }, 'http request refused');
    return answer;
  }

  #refuse(route: Route, path: string, incoming: IncomingMessage): Answer | undefined {
    if (route.bare === true) return undefined;
    if (this.#options.blockEndpoints.some((prefix) => path.startsWith(prefix))) {
      return text(403, 'Endpoint is blocked by agent configuration');
    }
    const method = incoming.method ?? 'GET';
    if (method === 'OPTIONS') return optionsAnswer(route);
    if (route.methods.includes(method as Method)) {
      const writes = method !== 'GET';
      const address = plainAddress(incoming.socket.remoteAddress ?? '');
      return writes && !this.#mayWrite(address) ? text(403, 'Access is restricted') : undefined;
    }
    const allow = route.optionsAsJson === true ? route.methods.join(',') : allowed(route);
    return text(405, `method ${method} not allowed`, { Allow: allow });
  }
}

function optionsAnswer(route: Route): Answer {
  const headers = { Allow: allowed(route) };
  if (route.optionsAsJson === true) return { status: 200, contentType: 'application/json', body: '{}', headers };
  return nothing(200, headers);
}

const allowed = (route: Route): string => ['OPTIONS', ...route.methods].join(',');

function refuseNamespace(request: ApiRequest): void {
  if (request.query.get('ns') !== '') {
    throw badRequest('Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature');
  }
  if ((request.header('x-consul-namespace') ?? '') !== '') {
    throw badRequest('Invalid header: "X-Consul-Namespace" - Namespaces are a Consul Enterprise feature');
  }
}

/** 301; a GET also gets a line of HTML, for people with a browser. */
function redirect(incoming: IncomingMessage, path: string, query: string): Answer {
  const location = escapePath(path) + (query === '' ? '' : `?${query.replace(/[^\x21-\x7e]/g, encodeURIComponent)}`);
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return nothing(301, { Location: location });
  const body = `<a href="${escapeAttribute(location)}">Moved Permanently</a>.\n\n`;
  return { status: 301, contentType: 'text/html; charset=utf-8', body, headers: { Location: location } };
}

function escapeAttribute(value: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return value.replace(/[&<>"']/g, (c) => entities[c]!);
}

function apiHeaders(options: DoorOptions): string[] {
  const fixed = ['Vary', 'Accept-Encoding', 'X-Consul-Default-Acl-Policy', options.defaultAclPolicy];
  if (options.translateWanAddresses) fixed.push('X-Consul-Translate-Addresses', 'true');
  return [...fixed, ...canonicalHeaders(options.responseHeaders)];
}

/** `x-extra` goes out as `X-Extra`. */
function canonicalHeaders(headers: Headers): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [
    name.toLowerCase().replace(/(^|-)[a-z]/g, (c) => c.toUpperCase()),
    value,
  ]);
}

function withoutToken(url: string | undefined): string {
  return (url ?? '').replace(/([?&]token=)[^&]*/g, '$1<hidden>');
}
