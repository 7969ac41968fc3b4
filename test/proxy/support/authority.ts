/** A certificate authority for tests, made of the real one's parts: roots, cross-signing, and leaves of any identity. */
import type { KeyObject } from 'node:crypto';
import { generateKey, leafKeySpec, privateKeyPem } from '../../../src/ca/keys.ts';
import { buildCsr, parseCsr } from '../../../src/ca/x509/csr.ts';
import { crossSign, type Issuer, issued, issueLeaf, issueRoot } from '../../../src/ca/x509/issue.ts';
import { encodePem } from '../../../src/ca/x509/pem.ts';

export const trustDomain = '11111111-2222-3333-4444-555555555555.consul';
const dayMs = 24 * 3_600_000;

export interface IssuedLeaf {
  readonly certPem: string;
  readonly keyPem: string;
  readonly uri: string;
}

interface LeafOptions {
  readonly uris?: readonly string[];
  readonly datacenter?: string;
  readonly ttlMs?: number;
  readonly nowMs?: number;
}

export class TestAuthority {
  readonly #issuer: Issuer;
  readonly #leafKey: KeyObject;
  #serial = 1n;
  /** Appended to each leaf, as an agent does after a rotation. */
  intermediatesPem = '';

  private constructor(issuer: Issuer, leafKey: KeyObject) {
    this.#issuer = issuer;
    this.#leafKey = leafKey;
  }

  static async create(name = 'root'): Promise<TestAuthority> {
    const [key, leafKey] = [await generateKey(leafKeySpec), await generateKey(leafKeySpec)];
    const request = { serial: 1n, commonName: name, uri: `spiffe://${trustDomain}`, nowMs: Date.now() };
    return new TestAuthority({ certificate: issued(issueRoot(request, key)), key }, leafKey);
  }

  get rootPem(): string {
    return encodePem('CERTIFICATE', this.#issuer.certificate.der);
  }

  issue(service: string, options: LeafOptions = {}): IssuedLeaf {
    const { uris = [spiffe(service, options.datacenter)], nowMs = Date.now(), ttlMs = 3 * dayMs } = options;
    const names = { uris, dnsNames: uris.length === 0 ? ['localhost'] : [], ipAddresses: [] };
    const csr = parseCsr(buildCsr({ commonName: service, ...names }, this.#leafKey));
    if (!csr.ok) throw csr.error;
    this.#serial += 1n;
    const request = { serial: this.#serial, commonName: service, names, nowMs, ttlMs };
    const { der } = issueLeaf(request, csr.value, this.#issuer);
    return {
      certPem: encodePem('CERTIFICATE', der) + this.intermediatesPem,
      keyPem: privateKeyPem(this.#leafKey),
      uri: uris[0] ?? '',
    };
  }

  /** This (old) authority vouches for a newer one: the certificate that lets holders of our root accept its leaves. */
  crossSign(newer: TestAuthority): string {
    this.#serial += 1n;
    return encodePem('CERTIFICATE', crossSign(newer.#issuer.certificate, this.#issuer, this.#serial, Date.now()));
  }
}

/** A key that belongs to none of the leaves. */
export async function otherKeyPem(): Promise<string> {
  return privateKeyPem(await generateKey(leafKeySpec));
}

export function spiffe(service: string, datacenter = 'dc1', domain = trustDomain): string {
  return `spiffe://${domain}/ns/default/dc/${datacenter}/svc/${service}`;
}
