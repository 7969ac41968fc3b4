/**
 * What this room refuses or fails at, listed once. A refusal is an expected event: it is counted and logged under its
 * code, the connection in question is closed, and nothing else changes. Whether the other side may try again is said
 * per code.
 */
import { HeddleError } from '../std/errors.ts';

/** Why an inbound connection was refused or cut. The application saw nothing of it unless the text says otherwise. */
export const inboundRefusals = {
  handshake_failed: 'the TLS handshake failed before an identity was known',
  handshake_timeout: 'the client did not finish the TLS handshake in time',
  no_client_certificate: 'the client presented no certificate',
  untrusted_certificate: 'the chain of the client certificate does not end in a trusted root, or has expired',
  invalid_identity: 'the client certificate does not carry exactly one SPIFFE URI of a service',
  denied: 'an intention, or the default policy, denies this source; or it is of another mesh and none allows its URI',
  cut: 'an open connection whose source is now denied (the application saw it until here)',
  application_unreachable: 'authorized, but the application could not be dialled: try again later',
  limit: 'the connection limit is reached: try again later',
} as const;
export type InboundRefusal = keyof typeof inboundRefusals;

/** Why a connection of the application to an upstream failed. */
export const upstreamFailures = {
  not_ready: 'no roots or leaf certificate known yet: try again later',
  no_endpoints: 'no healthy instance of the upstream is known: try again later',
  dial_failed: 'no instance could be dialled (each attempt is logged): try again later',
  dial_timeout: 'no instance finished TCP and TLS within the connect timeout: try again later',
  identity_mismatch: 'the instances dialled did not prove to be the service they are listed as',
  limit: 'the connection limit of this upstream is reached: try again later',
} as const;
export type UpstreamFailure = keyof typeof upstreamFailures;

export type ProxyErrorCode =
  /** Flags or a registration that cannot be used; nothing was started or changed. */
  | 'invalid_config'
  /** The agent answered with an error status. Certain; nothing changed here. Retried by watches. */
  | 'agent_status'
  /** The agent could not be reached, or the connection broke: for a write the outcome is unknown. Retried by watches. */
  | 'agent_unreachable'
  /** The agent answered something that is not what its API promises. Retried by watches. */
  | 'agent_answer_malformed'
  /** The certificate of the peer does not carry the identity that was expected; the connection was closed. */
  | 'identity_mismatch'
  /** Roots, leaf certificate or key do not parse or do not fit together; the previous ones stay in use. */
  | 'invalid_tls_material';

export class ProxyError extends HeddleError<ProxyErrorCode> {}
