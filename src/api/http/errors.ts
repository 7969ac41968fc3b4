/**
 * What goes wrong at the door, and which status says so. Status codes are chosen in this room and nowhere else: rooms
 * below report what happened (a code, a text), and `answerOfError` decides what a client sees.
 *
 * | raised as | status | text |
 * | --- | --- | --- |
 * | `HttpError(status, text)` | that | that |
 * | `badRequest(reason)` | 400 | `Bad request: <reason>` |
 * | a Refusal of the state machine | `invalid` 400, `notFound` 404, `denied` 403, else 500 | its text |
 * | BackendError `overloaded` | 503, `Retry-After: 1` | its text |
 * | any error whose text contains `Permission denied` or `ACL not found` | 403 | its text |
 * | … contains `RPC rate limit exceeded` | 429 | none |
 * | … is `Rate limit reached, try again later` | 429 | its text |
 * | any other expected error (HeddleError) | 500 | its text |
 * | anything else: a defect | 500 | `internal error`; the log has the rest |
 *
 * No state is left behind by any of them: a handler either asked the backend once, or not at all.
 */
import { Refusal, type RefusalCode } from '../../fsm/errors.ts';
import { HeddleError } from '../../std/errors.ts';
import { BackendError } from '../backend.ts';
import { type Answer, type Headers, text } from './answer.ts';

export class HttpError extends Error {
  readonly status: number;
  readonly headers: Headers | undefined;

  constructor(status: number, body: string, headers?: Headers) {
    super(body);
    this.name = 'HttpError';
    this.status = status;
    this.headers = headers;
  }
}

/** 400 with the prefix that typed bad requests carry. Handlers that write bare texts throw `HttpError(400, …)`. */
export function badRequest(reason: string): HttpError {
  return new HttpError(400, `Bad request: ${reason}`);
}
export function notFound(reason: string): HttpError {
  return new HttpError(404, reason);
}

/** An error together with headers that its answer must carry (index and leader headers of a failed read). */
export class ErrorWithHeaders extends Error {
  override readonly cause: unknown;
  readonly headers: Headers;

  constructor(cause: unknown, headers: Headers) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'ErrorWithHeaders';
    this.cause = cause;
    this.headers = headers;
  }
}

export function answerOfError(error: unknown): { readonly answer: Answer; readonly defect: boolean } {
  if (error instanceof ErrorWithHeaders) {
    const { answer, defect } = answerOfError(error.cause);
    return { answer: { ...answer, headers: { ...error.headers, ...answer.headers } }, defect };
  }
  if (error instanceof HttpError) return { answer: text(error.status, error.message, error.headers), defect: false };
  if (!(error instanceof HeddleError)) return { answer: text(500, 'internal error'), defect: true };
  const headers = error instanceof BackendError && error.code === 'overloaded' ? { 'Retry-After': '1' } : undefined;
  return { answer: text(statusOf(error), textOf(error.message), headers), defect: false };
}

const refusalStatus: Readonly<Partial<Record<RefusalCode, number>>> = { invalid: 400, notFound: 404, denied: 403 };

function statusOf(error: HeddleError): number {
  const { message } = error;
  if (message.includes('Permission denied') || message.includes('ACL not found')) return 403;
  if (message.includes('RPC rate limit exceeded') || message === 'Rate limit reached, try again later') return 429;
  if (error instanceof Refusal) return refusalStatus[error.code] ?? 500;
  return error instanceof BackendError && error.code === 'overloaded' ? 503 : 500;
}
function textOf(message: string): string {
  return message.includes('RPC rate limit exceeded') ? '' : message;
}
