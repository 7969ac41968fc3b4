/** Signing and checking to-be-signed bytes, by node:crypto, under the algorithm names X.509 uses. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { type Asn1, objectId, primitive, sequence, Type } from './asn1.ts';
import { oid } from './oids.ts';

/** SHA-1 and MD5 are not here: a signature with them is no signature. */
const algorithms: Readonly<Record<string, { readonly keyType: 'ec' | 'rsa'; readonly hash: string }>> = {
  [oid.ecdsaWithSha256]: { keyType: 'ec', hash: 'sha256' },
  [oid.ecdsaWithSha384]: { keyType: 'ec', hash: 'sha384' },
  [oid.ecdsaWithSha512]: { keyType: 'ec', hash: 'sha512' },
  [oid.rsaWithSha256]: { keyType: 'rsa', hash: 'sha256' },
  [oid.rsaWithSha384]: { keyType: 'rsa', hash: 'sha384' },
  [oid.rsaWithSha512]: { keyType: 'rsa', hash: 'sha512' },
};

const ecdsa = sequence(objectId(oid.ecdsaWithSha256));
const rsa = sequence(objectId(oid.rsaWithSha256), primitive(Type.NULL, ''));

/** The AlgorithmIdentifier that `signBytes` uses with this key: always SHA-256, as every mesh peer reads it. */
export function algorithmFor(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'rsa' ? rsa : ecdsa;
}

export function signBytes(bytes: Uint8Array, key: KeyObject): Uint8Array {
  return sign('sha256', bytes, key);
}

/** False for a wrong signature, an algorithm that is not accepted, or one that does not fit the key. */
export function isSignedBy(bytes: Uint8Array, algorithm: string, signature: Uint8Array, key: KeyObject): boolean {
  const known = algorithms[algorithm];
  if (known === undefined || key.asymmetricKeyType !== known.keyType) return false;
  return verify(known.hash, bytes, key, signature);
}
