/**
 * Records of the certificate authority. Certificates and keys are PEM texts; dates are RFC 3339 in UTC, whole seconds, as
 * the API prints them.
 */
import { bool, field, type Infer, index, int, json, list, map, record, string } from './schema/index.ts';

/** A root the mesh trusts. Exactly one is active: the one that signs. */
export const caRoot = record('CARoot', {
  /** SHA-1 of the certificate in colon hex. */
  ID: string(),
  Name: string(),
  SerialNumber: index(),
  /** Subject key id, in colon hex, of the certificate that signs leaves in this datacenter. */
  SigningKeyID: string(),
  /** The cluster id; the trust domain is this with `.consul`. */
  ExternalTrustDomain: string(),
  NotBefore: string(),
  NotAfter: string(),
  RootCert: string(),
  /** Sent with every leaf: the bridge from the previous root; in a secondary datacenter also its own CA certificate. */
  IntermediateCerts: list(string()),
  Active: bool(),
  /** When another root took its place, ms since 1970; 0 while active. Not part of the API. */
  RotatedOutAt: field(int(), { inputOnly: true }),
  /** Longest lifetime, ms, that leaves were given while this root signed. Not part of the API. */
  LeafTTLMax: field(int(), { inputOnly: true }),
  PrivateKeyType: string(),
  PrivateKeyBits: int(),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type CaRoot = Infer<typeof caRoot>;

/** What `/v1/connect/ca/roots` answers. */
export const caRoots = record('IndexedCARoots', {
  ActiveRootID: string(),
  TrustDomain: string(),
  Roots: list(caRoot, '[]'),
});
export type CaRoots = Infer<typeof caRoots>;

/** The configuration as the API reads and prints it. */
export const caConfiguration = record('CAConfiguration', {
  Provider: string(),
  Config: map(json()),
  State: map(string()),
  ForceWithoutCrossSigning: field(bool(), { aliases: ['force_without_cross_signing'] }),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type CaConfiguration = Infer<typeof caConfiguration>;

/** The configuration as stored. A private key in it is replaced by a mark: the key itself is in the provider's state. */
export interface CaConfigurationRow extends CaConfiguration {
  /** UUID drawn once by the first leader of the primary datacenter; never printed. */
  readonly ClusterID: string;
}

/** What the built-in provider must keep to sign: never printed, never logged. */
export interface CaProviderState {
  /** Names the configured key and root; another id means another root. */
  readonly ID: string;
  /** PEM, or sealed when the servers have a key for that. */
  readonly PrivateKey: string;
  readonly RootCert: string;
  /** Of a secondary datacenter: its own CA certificate; '' in the primary. */
  readonly IntermediateCert: string;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** A leaf as its agent serves it. Service leaves have Service and ServiceURI, agents' have Agent and AgentURI. */
export const issuedCert = record('IssuedCert', {
  SerialNumber: string(),
  /** The leaf, then the intermediates of the active root. */
  CertPEM: string(),
  /** Made and kept by the agent; empty in what the leader answers. */
  PrivateKeyPEM: { schema: string(), omitEmpty: true },
  Service: { schema: string(), omitEmpty: true },
  ServiceURI: { schema: string(), omitEmpty: true },
  Agent: { schema: string(), omitEmpty: true },
  AgentURI: { schema: string(), omitEmpty: true },
  ValidAfter: string(),
  ValidBefore: string(),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type IssuedCert = Infer<typeof issuedCert>;
