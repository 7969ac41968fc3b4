/**
 * Who is at the other end of a TLS connection, read from its certificate. The chain has been verified by OpenSSL when
 * this is asked; what is left is the identity: exactly one URI among the subject alternative names (SPIFFE X.509-SVID
 * §2), and it must name a service.
 */
import type { X509Certificate } from 'node:crypto';
import { parseSpiffe, type ServiceId } from '../ca/identity/index.ts';
import { err, ok, type Result } from '../std/result.ts';

export interface PeerIdentity {
  readonly uri: string;
  readonly id: ServiceId;
  /** When the certificate that proves it expires. */
  readonly validToMs: number;
}

export function peerIdentity(certificate: X509Certificate): Result<PeerIdentity, string> {
  const uris = alternativeNames(certificate.subjectAltName ?? '').filter((name) => name.type === 'URI');
  const uri = uris[0];
  if (uri === undefined) return err('the certificate carries no URI');
  if (uris.length > 1) return err('the certificate carries more than one URI');
  const parsed = parseSpiffe(uri.value);
  if (!parsed.ok) return err(parsed.error.message);
  if (parsed.value.kind !== 'service') return err(`${uri.value} does not name a service`);
  return ok({ uri: uri.value, id: parsed.value, validToMs: Date.parse(certificate.validTo) });
}

interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/**
 * Node prints alternative names as `URI:spiffe://…, DNS:localhost`, and a value that could be mistaken for that syntax
 * as a JSON string: `URI:"a\u002c b"`. A text that is neither means that we do not understand it: no names at all.
 */
export function alternativeNames(text: string): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  const entry = /([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
  while (entry.lastIndex < text.length) {
    const match = entry.exec(text);
    if (match === null) return [];
    const raw = match[2] ?? '';
    names.push({ type: match[1] ?? '', value: raw.startsWith('"') ? String(JSON.parse(raw)) : raw });
  }
  return names;
}
