/** Errors that travel: what the other side threw is thrown here again, with its code. Nothing unexpected is told but its text. */
import { CaError } from '../../ca/errors.ts';
import { Refusal, type RefusalCode } from '../../fsm/errors.ts';
import { HeddleError } from '../../std/errors.ts';
import { type BackendCode, BackendError } from '../backend.ts';
import { pack, unpack, type WireFailure } from './wire.ts';

/** The server asked does not lead, or the request never reached it: it certainly was not carried out. */
export class NotCarriedOut extends HeddleError<'notLeader' | 'unreachable'> {}

export function failureOf(error: unknown): WireFailure {
  const { source, code, fields } = describe(error);
  const message = error instanceof Error ? error.message : String(error);
  return { source, code, message, fields: pack(fields) };
}

function describe(error: unknown): Pick<WireFailure, 'source' | 'code'> & { fields: unknown } {
  if (error instanceof Refusal) return { source: 'REFUSAL', code: error.code, fields: error.fields };
  if (error instanceof BackendError) return { source: 'BACKEND', code: error.code, fields: error.fields };
  if (error instanceof NotCarriedOut) return { source: 'NOT_LEADER', code: error.code, fields: error.fields };
  if (error instanceof CaError) return { source: 'CA', code: error.code, fields: error.fields };
  return { source: 'INTERNAL', code: 'internal', fields: {} };
}

export function errorOf(failure: WireFailure): Error {
  const fields = (unpack(failure.fields) ?? {}) as Record<string, unknown>;
  switch (failure.source) {
    case 'REFUSAL':
      return new Refusal(failure.code as RefusalCode, failure.message, fields);
    case 'BACKEND':
      return new BackendError(failure.code as BackendCode, failure.message, fields);
    case 'NOT_LEADER':
      return new NotCarriedOut('notLeader', failure.message, fields);
    case 'CA':
      return new CaError(failure.code as CaError['code'], failure.message, fields);
    default:
      return new Error(failure.message);
  }
}
