/**
 * Every error that leaves this room. All of them are certain and leave no state behind: the room computes, it does not
 * store. Texts are shown to operators and match those existing tools know; they never quote key material.
 */
import { HeddleError } from '../std/errors.ts';
import { err, type Result } from '../std/result.ts';

/** When each happens, and whether asking again can help. The keys are the codes. */
export const caErrorCodes = {
  'spiffe-id': 'A text is not one of the SPIFFE IDs this mesh uses. Never retry.',
  pem: 'A text holds no PEM block, a broken one, or one of another type than wanted. Never retry.',
  asn1: 'Bytes are not the DER of the structure wanted, or are unreasonably large. Never retry.',
  key: 'A private or public key cannot be read, or is of a type or size this CA does not accept. Never retry.',
  'chain-untrusted': 'No path of valid signatures leads from a certificate to a trusted root. Retry with newer roots.',
  'chain-expired': 'A certificate of the only possible path is not valid at this time. Retry with a renewed one.',
  'chain-purpose': 'A certificate may not be used for this: wrong key usage, extended key usage or identity.',
  'csr-refused': 'A signing request is well formed but breaks a rule (foreign trust domain, wrong datacenter…).',
  'rate-limited': 'The CA signs as fast as it is allowed to. Nothing was signed; retry after a pause.',
  'not-initialized': 'The CA has no root yet. Retry when a leader has initialised it.',
  config: 'A CA configuration is refused. Nothing changed.',
  'config-state':
    'A configuration carries a provider state other than the current one, which is read-only. Nothing changed.',
  'provider-unknown': 'A CA provider that this program does not have. Nothing changed.',
  'cannot-cross-sign': 'A rotation needs the old key to sign the new root and may not. Nothing changed.',
  sealed: 'An encrypted value cannot be opened: wrong key, or altered bytes. Retry with the right key.',
} as const;

export type CaErrorCode = keyof typeof caErrorCodes;

export class CaError extends HeddleError<CaErrorCode> {}

/** Shorthand for the failing branch of a Result. */
export function caErr(
  code: CaErrorCode,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
): { readonly ok: false; readonly error: CaError } {
  return err(new CaError(code, message, fields));
}

export type CaResult<T> = Result<T, CaError>;
