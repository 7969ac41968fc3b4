/** Roots and the provider's state as records: made from keys and certificates, and opened again to sign. */
import type { KeyObject } from 'node:crypto';
import { assert } from '../../std/assert.ts';
import { ok } from '../../std/result.ts';
import type { CaConfigurationRow, CaProviderState, CaRoot } from '../../structs/index.ts';
import { type CaResult, caErr } from '../errors.ts';
import { authorityCommonName } from '../identity/common-name.ts';
import { formatSpiffe, signingId } from '../identity/spiffe.ts';
import { type TrustDomain, trustDomainOf } from '../identity/trust-domain.ts';
import { colonHex, generateKey, keySpecOf, parsePrivateKey, privateKeyPem, spkiOf } from '../keys.ts';
import { isSealed, open, seal } from '../seal.ts';
import { type Certificate, certificatePem, fingerprint, parseCertificate } from '../x509/certificate.ts';
import { type Issuer, issued, issueRoot, keyIdOfIssuer } from '../x509/issue.ts';
import type { ConsulProviderConfig } from './provider-config.ts';

/** What the authority borrows from the outside world: time, chance, and the datacenter's serial counter. */
export interface AuthorityContext {
  readonly nowMs: number;
  randomBytes(size: number): Uint8Array;
  /** Takes the next serial of the replicated counter; a serial that is not used is lost, which is fine. */
  nextSerial(): Promise<bigint>;
  /** Encrypts the CA key at rest; null: stored as PEM. */
  readonly sealKey: Uint8Array | null;
}

/** Everything the replicated state holds of the CA. */
export interface CaState {
  readonly roots: readonly CaRoot[];
  readonly configuration: CaConfigurationRow | null;
  readonly providerState: CaProviderState | null;
}

/** RFC 3339, UTC, whole seconds. */
export function dateText(ms: number): string {
  return `${new Date(Math.floor(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}

/** Takes the configured key and root, or makes what is not configured. `config.privateKey` is a PEM here, never a mark. */
export async function makeRoot(
  config: ConsulProviderConfig,
  provider: string,
  trustDomain: TrustDomain,
  context: AuthorityContext,
): Promise<CaResult<Issuer>> {
  let key: KeyObject;
  if (config.privateKey === '') {
    key = await generateKey(config.keySpec);
  } else {
    const parsed = parsePrivateKey(config.privateKey);
    if (!parsed.ok) {
      const what = `error parsing private key ${shown(config.privateKey)}: ${parsed.error.message}`;
      return caErr('config', `error generating CA root certificate: error generating CA: ${what}`);
    }
    key = parsed.value;
  }
  if (config.rootCert !== '') return givenRoot(config.rootCert, key, context.nowMs);
  const commonName = authorityCommonName('primary', context.randomBytes(8), provider, trustDomain);
  const uri = formatSpiffe(signingId(trustDomain));
  const ttlMs = config.rootCertTtlMs ?? undefined;
  const serial = await context.nextSerial();
  const der = issueRoot({ serial, commonName, uri, nowMs: context.nowMs, ttlMs }, key);
  return ok({ certificate: issued(der), key });
}

/** A root an operator brings: it must be able to sign, now, with the key that came with it. */
function givenRoot(pem: string, key: KeyObject, nowMs: number): CaResult<Issuer> {
  const refuse = (reason: string) => caErr('config', `error generating CA root certificate: ${reason}`);
  const parsed = parseCertificate(pem);
  if (!parsed.ok) return refuse(parsed.error.message);
  const certificate = parsed.value;
  if (Buffer.compare(certificate.spki, spkiOf(key)) !== 0) return refuse('root cert is for a different private key');
  if (!certificate.extensions.isCa) return refuse('root cert is not a CA certificate');
  if (nowMs < certificate.notBeforeMs || nowMs > certificate.notAfterMs) return refuse('root cert is not valid now');
  return ok({ certificate, key });
}

/** `IntermediateCerts` of a fresh root: the bridge from its predecessor, or none. */
export function rootRecord(
  root: Issuer,
  {
    provider,
    clusterId,
    leafTtlMs,
  }: { readonly provider: string; readonly clusterId: string; readonly leafTtlMs: number },
  bridge: Certificate | null,
): CaRoot {
  const { certificate, key } = root;
  const spec = keySpecOf(key);
  assert(spec.ok, 'the key of a root was checked when it was read');
  return {
    ID: fingerprint(certificate),
    Name: `${provider.charAt(0).toUpperCase()}${provider.slice(1)} CA Primary Cert`,
    SerialNumber: Number(BigInt.asUintN(53, certificate.serial)),
    SigningKeyID: colonHex(keyIdOfIssuer(certificate)),
    ExternalTrustDomain: clusterId,
    NotBefore: dateText(certificate.notBeforeMs),
    NotAfter: dateText(certificate.notAfterMs),
    RootCert: certificatePem(certificate),
    IntermediateCerts: bridge === null ? null : [certificatePem(bridge)],
    Active: true,
    RotatedOutAt: 0,
    LeafTTLMax: leafTtlMs,
    PrivateKeyType: spec.value.type,
    PrivateKeyBits: spec.value.bits,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

export function providerStateRecord(id: string, root: Issuer, context: AuthorityContext): CaProviderState {
  const pem = privateKeyPem(root.key);
  return {
    ID: id,
    PrivateKey: context.sealKey === null ? pem : seal(pem, context.sealKey, id, context.randomBytes(12)),
    RootCert: certificatePem(root.certificate),
    IntermediateCert: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** The private key's PEM, whether it was stored sealed or not. */
export function openProviderKey(state: CaProviderState, sealKey: Uint8Array | null): CaResult<string> {
  if (!isSealed(state.PrivateKey)) return ok(state.PrivateKey);
  if (sealKey === null) return caErr('sealed', 'the CA key is encrypted and this server has no key to open it');
  return open(state.PrivateKey, sealKey, state.ID);
}

/** The certificate and key that sign today. */
export function openIssuer(state: CaState, sealKey: Uint8Array | null): CaResult<Issuer> {
  const uninitialized = 'CA is uninitialized and unable to sign certificates yet';
  if (state.providerState === null || state.configuration === null) {
    return caErr('not-initialized', `${uninitialized}: provider is nil`);
  }
  if (activeRootOf(state) === null) return caErr('not-initialized', `${uninitialized}: no root certificate`);
  const pem = openProviderKey(state.providerState, sealKey);
  if (!pem.ok) return pem;
  const key = parsePrivateKey(pem.value);
  if (!key.ok) return key;
  const certificate = parseCertificate(state.providerState.IntermediateCert || state.providerState.RootCert);
  return certificate.ok ? ok({ certificate: certificate.value, key: key.value }) : certificate;
}

export function activeRootOf(state: CaState): CaRoot | null {
  return state.roots.find((root) => root.Active) ?? null;
}

export function trustDomainOfState(state: CaState): TrustDomain | null {
  return state.configuration === null ? null : trustDomainOf(state.configuration.ClusterID);
}

/** A short wrong value helps whoever typed it; a long one may be a damaged key and is not repeated. */
function shown(privateKey: string): string {
  return privateKey.length <= 16 ? JSON.stringify(privateKey) : `of ${privateKey.length} characters`;
}
