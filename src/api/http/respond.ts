/**
 * Writes answers: the headers that every answer of a door carries, pretty printing, compression, back-pressure.
 *
 * Bodies of 1,400 bytes and more are compressed for clients that accept gzip; below that a packet is a packet.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { Turn } from '../turn.ts';
import { type Answer, type Body, type BodyStream, Encoded, jsonType } from './answer.ts';
import { indentJson } from './go-json.ts';

const gzip = promisify(zlib.gzip);

/** Of all doors of this process: their clients are woken once a turn. */
const turn = new Turn();

const gzipBytesMin = 1400;
/** Up to here compressing takes well under a millisecond and is not worth a trip to the thread pool. */
const gzipSyncBytesMax = 16 * 1024;

export interface ResponderOptions {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly compress: boolean;
  readonly pretty: boolean;
  /** Hears of an answer that could not be written, its fault or ours. The connection is closed already. */
  readonly failed: (response: ServerResponse, error: unknown) => void;
}

export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** Writes an answer, with the others of this turn if there are any, or when it is compressed, or bit by bit. Never throws. */
  send(incoming: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (response.destroyed) return;
    try {
      this.#send(incoming, response, answer);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #send(incoming: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const { status, contentType, body } = answer;
    // In HTTP/1.1 a connection stays open unless somebody says otherwise: saying so again is noise in every answer.
    if (response.shouldKeepAlive && incoming.httpVersionMinor > 0) response.removeHeader('Connection');
    const headers = this.#headersOf(answer);
    if (isStream(body)) {
      response.writeHead(status, headers);
      pump(response, body).catch((error: unknown) => this.#fail(response, error));
      return;
    }
    const pretty = contentType === jsonType && this.#wantsPretty(incoming);
    const piece = pretty ? undefined : onePieceOf(body);
    if (piece !== undefined) return this.#finish(response, status, headers, piece);
    const plain = bytesOf(pretty ? indent(body) : body);
    if (!this.#mayCompress(incoming, plain)) return this.#finish(response, status, headers, plain);
    headers.push('Content-Encoding', 'gzip');
    this.#compressed(body, plain, pretty).then(
      (bytes) => this.#finish(response, status, headers, bytes),
      (error: unknown) => this.#fail(response, error),
    );
  }

  #headersOf(answer: Answer): string[] {
    const headers = this.#options.headers.slice();
    if (answer.headers !== undefined) {
      for (const name in answer.headers) headers.push(name, headerValue(answer.headers[name]!));
    }
    if (answer.contentType !== undefined) headers.push('Content-Type', answer.contentType);
    return headers;
  }

  /** Sends head and body as one. A string has as many bytes as characters. */
  #finish(response: ServerResponse, status: number, headers: string[], body: string | Uint8Array): void {
    headers.push('Content-Length', String(body.length));
    turn.withOthers(() => {
      if (response.destroyed) return;
      try {
        response.writeHead(status, headers);
        if (body.length === 0) response.end();
        else response.end(body, 'latin1');
      } catch (error) {
        this.#fail(response, error);
      }
    });
  }

  #fail(response: ServerResponse, error: unknown): void {
    response.destroy();
    this.#options.failed(response, error);
  }

  #wantsPretty(incoming: IncomingMessage): boolean {
    return this.#options.pretty || /[?&]pretty(?:[=&]|$)/.test(incoming.url ?? '');
  }

  #mayCompress(incoming: IncomingMessage, plain: Uint8Array): boolean {
    if (!this.#options.compress || plain.byteLength < gzipBytesMin) return false;
    return acceptsGzip(incoming.headers['accept-encoding']);
  }

  async #compressed(body: Body, plain: Uint8Array, pretty: boolean): Promise<Uint8Array> {
    const kept = body instanceof Encoded && !pretty ? body : undefined;
    if (kept?.gzipped !== undefined) return kept.gzipped;
    const bytes = plain.byteLength <= gzipSyncBytesMax ? zlib.gzipSync(plain) : await gzip(plain);
    if (kept !== undefined) kept.gzipped = bytes;
    return bytes;
  }
}

/** A body that is not compressed, as text of as many characters as bytes: it leaves in one piece with its headers. */
function onePieceOf(body: Body): string | undefined {
  if (body instanceof Encoded) return body.bytes.length < gzipBytesMin ? body.text : undefined;
  if (typeof body !== 'string' || body.length >= gzipBytesMin) return undefined;
  return /[\u0080-\uffff]/.test(body) ? undefined : body;
}

/** A value may hold what a client sent (a service id in a reason): no line may end in it, and headers are Latin-1. */
function headerValue(value: string): string {
  return /[^\t\x20-\x7e\x80-\xff]/.test(value) ? value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?') : value;
}

function isStream(body: Body): body is BodyStream {
  return typeof body === 'object' && 'stream' in body;
}

const noBytes = new Uint8Array(0);

function bytesOf(body: Exclude<Body, BodyStream>): Uint8Array {
  if (body === undefined) return noBytes;
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Encoded ? body.bytes : body;
}

function indent(body: Exclude<Body, BodyStream>): string {
  return indentJson(typeof body === 'string' ? body : Buffer.from(bytesOf(body)).toString());
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  if (header === 'gzip' || header === 'gzip, deflate') return true;
  for (const part of String(header).split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    if (coding !== 'gzip') continue;
    const quality = parameters.find((word) => word.startsWith('q='));
    return quality === undefined || Number(quality.slice(2)) > 0;
  }
  return false;
}

async function pump(response: ServerResponse, body: BodyStream): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  response.flushHeaders();
  try {
    await body.stream({ closed: closed.signal, write: (chunk) => write(response, chunk) });
    response.end();
  } catch (error) {
    response.destroy();
    if (!closed.signal.aborted) throw error;
  }
}

function write(response: ServerResponse, chunk: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) return reject(new Error('the client hung up'));
    if (response.write(chunk)) return resolve();
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      if (response.destroyed) reject(new Error('the client hung up'));
      else resolve();
    };
    response.once('drain', settle);
    response.once('close', settle);
  });
}
