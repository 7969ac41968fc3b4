/**
 * What a handler returns. Handlers never touch the response: they say what the answer is, and `respond.ts` writes it
 * (compression, pretty printing, headers that every answer carries).
 */
import { assert } from '../../std/assert.ts';
import { encodeJson } from './go-json.ts';

export type Headers = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  /** Undefined: no Content-Type is sent. */
  readonly contentType?: string | undefined;
  readonly body: Body;
  readonly headers?: Headers | undefined;
}

export type Body = Encoded | string | Uint8Array | BodyStream | undefined;

/** A body that is not in memory at once. `start` gets the bytes out through `write`; it ends the answer by returning. */
export interface BodyStream {
  readonly stream: (sink: BodySink) => Promise<void>;
}
export interface BodySink {
  /** Resolves when the client has room for more; rejects when it hung up. */
  write(chunk: Uint8Array | string): Promise<void>;
  readonly closed: AbortSignal;
}

/**
 * JSON that was encoded once and may be sent many times: the text, and its compressed form once somebody asked for it.
 * Encoded answers are what the read caches keep (design, decision 11).
 */
export class Encoded {
  readonly bytes: Uint8Array;
  gzipped: Uint8Array | undefined;
  #text: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  static json(value: unknown): Encoded {
    return new Encoded(Buffer.from(encodeJson(value)));
  }

  /** The same as Latin-1 text: a short one leaves in one piece with its headers. */
  get text(): string {
    this.#text ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).toString('latin1');
    return this.#text;
  }
}

export const jsonType = 'application/json';
const textType = 'text/plain; charset=utf-8';

/** 200 with a JSON value. `undefined` is not JSON: use `nothing`. */
export function json(value: unknown, headers?: Headers, status = 200): Answer {
  assert(value !== undefined, 'an answer of undefined');
  return { status, contentType: jsonType, body: value instanceof Encoded ? value : encodeJson(value), headers };
}

/** A plain text; the status says what kind of text. */
export function text(status: number, body: string, headers?: Headers): Answer {
  return { status, contentType: body === '' ? undefined : textType, body: body === '' ? undefined : body, headers };
}

/** No body and no Content-Type: what a handler with no result answers. */
export function nothing(status = 200, headers?: Headers): Answer {
  return { status, body: undefined, headers };
}
