/**
 * Private keys: made, read, printed, named. All by node:crypto.
 *
 * The CA may use EC (P-224, P-256, P-384, P-521) or RSA (2048, 4096); leaves are always EC P-256. Printed forms are those
 * existing tools expect: SEC 1 (`EC PRIVATE KEY`) and PKCS #1 (`RSA PRIVATE KEY`); PKCS #8 is read as well.
 * No function here puts a byte of a private key into an error.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generateKeyPairCallback,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { ok } from '../std/result.ts';
import { type CaResult, caErr } from './errors.ts';
import { decodePem } from './x509/pem.ts';

const generateKeyPair = promisify(generateKeyPairCallback);

export type KeyType = 'ec' | 'rsa';

export interface KeySpec {
  readonly type: KeyType;
  readonly bits: number;
}

export const leafKeySpec: KeySpec = { type: 'ec', bits: 256 };

/** OpenSSL's names of the curves, as KeyObject.asymmetricKeyDetails gives them. */
const curveByBits: ReadonlyMap<number, string> = new Map([
  [224, 'secp224r1'],
  [256, 'prime256v1'],
  [384, 'secp384r1'],
  [521, 'secp521r1'],
]);
const rsaBits: readonly number[] = [2048, 4096];
const privateKeyLabels: readonly string[] = ['EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PRIVATE KEY'];

/** The texts operators know; null when the CA accepts such a key. */
export function keySpecProblem(type: string, bits: number): string | null {
  if (type === 'ec') {
    return curveByBits.has(bits) ? null : `EC key length must be one of (${[...curveByBits.keys()].join(', ')}) bits`;
  }
  if (type === 'rsa') return rsaBits.includes(bits) ? null : `RSA key length must be ${rsaBits.join(' or ')} bits`;
  return "private key type must be either 'ec' or 'rsa'";
}

/** Runs in the thread pool: an RSA key takes up to seconds, which must not stop the event loop. */
export async function generateKey(spec: KeySpec): Promise<KeyObject> {
  const problem = keySpecProblem(spec.type, spec.bits);
  if (problem !== null) throw new RangeError(problem);
  const pair =
    spec.type === 'ec'
      ? await generateKeyPair('ec', { namedCurve: curveByBits.get(spec.bits)! })
      : await generateKeyPair('rsa', { modulusLength: spec.bits });
  return pair.privateKey;
}

/** Reads one unencrypted private key of a kind the CA accepts. */
export function parsePrivateKey(pem: string): CaResult<KeyObject> {
  const blocks = decodePem(pem);
  if (!blocks.ok) return blocks;
  const keys = blocks.value.filter((block) => privateKeyLabels.includes(block.label));
  if (keys.length !== 1) return caErr('key', `expected one private key, found ${keys.length}`);
  const { label, bytes } = keys[0]!;
  const type = label === 'EC PRIVATE KEY' ? 'sec1' : label === 'RSA PRIVATE KEY' ? 'pkcs1' : 'pkcs8';
  try {
    const key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type });
    const spec = keySpecOf(key);
    return spec.ok ? ok(key) : spec;
  } catch {
    // OpenSSL's reason may describe the content; that it cannot be read is all that may leave.
    return caErr('key', 'private key cannot be read');
  }
}

export function privateKeyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'ec' ? 'sec1' : key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  return key.export({ format: 'pem', type }) as string;
}

/** A P-256 SubjectPublicKeyInfo up to its point; then follow x and y, 32 bytes each. */
const p256Prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const coordinateBytes = 32;

/** Reads a SubjectPublicKeyInfo of a kind this mesh accepts in any certificate. */
export function parsePublicKey(spki: Uint8Array): CaResult<KeyObject> {
  const bytes = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength);
  try {
    const key = isP256(bytes)
      ? createPublicKey({ key: p256Jwk(bytes), format: 'jwk' })
      : createPublicKey({ key: bytes, format: 'der', type: 'spki' });
    const spec = keySpecOf(key);
    return spec.ok ? ok(key) : spec;
  } catch {
    return caErr('key', 'public key cannot be read'); // the input is foreign; OpenSSL's reason helps nobody
  }
}

function isP256(spki: Buffer): boolean {
  return (
    spki.length === p256Prefix.length + 2 * coordinateBytes &&
    spki.compare(p256Prefix, 0, p256Prefix.length, 0, p256Prefix.length) === 0
  );
}

/** OpenSSL's decoder takes longer over the DER of a point than over the point itself; nearly every key here is P-256. */
function p256Jwk(spki: Buffer): { kty: string; crv: string; x: string; y: string } {
  const point = spki.subarray(p256Prefix.length);
  const [x, y] = [point.subarray(0, coordinateBytes), point.subarray(coordinateBytes)];
  return { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
}

/** Type and size of a private or public key; an error for kinds and sizes the mesh does not accept. */
export function keySpecOf(key: KeyObject): CaResult<KeySpec> {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') {
    for (const [bits, curve] of curveByBits) if (curve === details?.namedCurve) return ok({ type: 'ec', bits });
    return caErr('key', `EC curve ${details?.namedCurve ?? 'with explicit parameters'} is not accepted`);
  }
  if (key.asymmetricKeyType === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < 2048 || bits > 8192) return caErr('key', `RSA key of ${bits} bits is not accepted: use 2048 to 8192`);
    return ok({ type: 'rsa', bits });
  }
  return caErr('key', `keys of type ${key.asymmetricKeyType ?? 'unknown'} are not accepted`);
}

/** The SubjectPublicKeyInfo in DER, of a private or public key. */
export function spkiOf(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  if (publicKey.asymmetricKeyDetails?.namedCurve === curveByBits.get(256)) {
    const { x, y } = publicKey.export({ format: 'jwk' }); // several times faster than the SPKI export, as above
    return Buffer.concat([p256Prefix, Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  }
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** The key identifier of the mesh's certificates: SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest();
}

/** `0b:81:b2…` */
export function colonHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').match(/../g)?.join(':') ?? '';
}
