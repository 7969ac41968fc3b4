/**
 * TLS as both listeners speak it: our leaf, the trusted roots, 1.3 with AEAD suites only. Building a context parses
 * everything once; connections of one generation share it, and a new generation touches no connection that is open.
 *
 * Chains are verified by OpenSSL against `ca`, which holds roots only; what leads from a leaf to a root (after a
 * rotation: the new root signed by the old one) comes from the peer, behind its leaf.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ProxyError } from './errors.ts';
import { SessionCache } from './session-cache.ts';
import type { Leaf, ProxyOptions, TrustBundle } from './snapshot.ts';

export interface TlsMaterial {
  readonly trustDomain: string;
  readonly leafUri: string;
  readonly serial: string;
  readonly validBeforeMs: number;
  /** For servers, which build their own context of it. */
  readonly options: SecureContextOptions;
  /** For clients: one context for all dials of this generation. */
  readonly context: SecureContext;
  readonly sessions: SessionCache;
}

/** SSL_OP_NO_RENEGOTIATION of OpenSSL 1.1.1 and later: a TLS 1.2 peer may not change its identity half-way. */
const noRenegotiation = 0x4000_0000;

/** Ephemeral keys and AEAD only; AES-128 first, since the key exchange is of 128 bits anyway and it is the faster one. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Throws `invalid_tls_material`, never naming the key. */
export function buildTlsMaterial(
  trust: TrustBundle,
  leaf: Leaf,
  minVersion: ProxyOptions['tlsMinVersion'],
): TlsMaterial {
  const certificate = parse('leaf certificate', () => new X509Certificate(leaf.certPem));
  const key = parse('private key', () => createPrivateKey(leaf.keyPem));
  if (!certificate.checkPrivateKey(key)) {
    throw new ProxyError('invalid_tls_material', 'the private key does not belong to the leaf certificate', {});
  }
  const options: SecureContextOptions = {
    cert: leaf.certPem,
    key: leaf.keyPem,
    ca: [...trust.rootsPem],
    minVersion,
    ciphers,
    ecdhCurve: 'X25519:prime256v1',
    secureOptions: noRenegotiation | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
  };
  return {
    trustDomain: trust.trustDomain.toLowerCase(),
    leafUri: leaf.uri,
    serial: certificate.serialNumber,
    validBeforeMs: leaf.validBeforeMs,
    options,
    context: parse('roots', () => createSecureContext(options)),
    sessions: new SessionCache(),
  };
}

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ProxyError('invalid_tls_material', `the ${what} cannot be used: ${reason}`, { what, reason });
  }
}
