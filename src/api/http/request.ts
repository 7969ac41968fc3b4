/**
 * A request as handlers see it: decoded path, parameters, token, body. Nothing here knows of endpoints.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyBudget } from './body-budget.ts';
import { HttpError } from './errors.ts';
import type { Query } from './url.ts';

/** The methods that endpoints know; a request with another one never reaches a handler. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export interface RequestParts {
  readonly incoming: IncomingMessage;
  readonly path: string;
  /** What follows the route's path: the parameter of `/v1/health/service/`, '' for exact routes. Slashes included. */
  readonly rest: string;
  readonly query: Query;
  readonly response: ServerResponse;
  readonly bodies: BodyBudget;
}

export class ApiRequest {
  readonly method: Method;
  readonly path: string;
  readonly rest: string;
  readonly query: Query;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;
  readonly #incoming: IncomingMessage;
  readonly #bodies: BodyBudget;

  constructor(parts: RequestParts) {
    this.method = parts.incoming.method as Method;
    this.path = parts.path;
    this.rest = parts.rest;
    this.query = parts.query;
    this.#response = parts.response;
    this.#incoming = parts.incoming;
    this.#bodies = parts.bodies;
  }

  /** Aborted when the client hangs up or the door closes: blocked reads end with it. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      if (this.#response.destroyed) controller.abort();
      else this.#response.once('close', () => controller.abort());
    }
    return this.#signal;
  }

  /** A header by its lower-case name; of a repeated header the first value. */
  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get remoteAddress(): string {
    return plainAddress(this.#incoming.socket.remoteAddress ?? '');
  }

  /** The secret that the caller presented; '' for none. `?token=` beats X-Consul-Token beats `Authorization: Bearer`. */
  get token(): string {
    return this.query.get('token') || this.header('x-consul-token') || bearer(this.header('authorization')) || '';
  }

  /** Declared length of the body; undefined when it is chunked or absent. */
  get contentLength(): number | undefined {
    const declared = this.header('content-length');
    return declared === undefined ? undefined : Number(declared);
  }

  /** The request as a stream, for bodies that are not kept in memory. */
  get stream(): NodeJS.ReadableStream {
    return this.#incoming;
  }

  /**
   * The whole body. Over `bytesMax` it rejects with `tooLarge()`, and while the door holds too many others with `overloaded`; then
   * it reads no further.
   */
  body(bytesMax = bodyBytesMax, tooLarge = defaultTooLarge): Promise<Buffer> {
    const incoming = this.#incoming;
    // Listeners, not an async iterator: a third of the cost, which small writes notice.
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const take = (chunk: Buffer): void => {
        size += chunk.length;
        const refusal = size > bytesMax ? tooLarge() : this.#bodies.hold(this.#response, size);
        if (refusal === undefined) return void chunks.push(chunk);
        chunks.length = 0;
        incoming.off('data', take);
        incoming.pause();
        this.#response.shouldKeepAlive = false; // or the rest of it would be read to get at the next request
        reject(refusal);
      };
      incoming.on('data', take);
      incoming.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
      incoming.once('error', reject);
    });
  }
}

/** No definition, entry or certificate comes near it; without a bound one request could take all memory. */
const bodyBytesMax = 64 * 1024 * 1024;

function defaultTooLarge(): HttpError {
  return new HttpError(413, 'Request body too large');
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const words = authorization.split(' ').filter((word) => word !== '');
  return words[0]?.toLowerCase() === 'bearer' ? words[1] : undefined;
}

/** IPv4 peers of a dual-stack listener arrive as `::ffff:1.2.3.4`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
