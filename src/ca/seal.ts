/**
 * The CA's private key at rest. AES-256-GCM under a key that the servers hold outside the replicated state; what the value
 * belongs to is authenticated with it, so that a sealed key cannot be moved to another place and opened there.
 *
 *     sealed:v1:<base64 of nonce (12) | ciphertext | tag (16)>
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assert } from '../std/assert.ts';
import { ok } from '../std/result.ts';
import { type CaResult, caErr } from './errors.ts';

const sealKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const prefix = 'sealed:v1:';

/** The key as operators write it: base64 of 32 bytes; '' is none. The error does not repeat it. */
export function parseSealKey(text: string): CaResult<Uint8Array | null> {
  if (text === '') return ok(null);
  const key = Buffer.from(text, 'base64');
  if (key.length === sealKeyBytes && key.toString('base64') === text) return ok(key);
  return caErr('sealed', `a key is ${sealKeyBytes} bytes in base64, as \`heddle keygen\` prints`);
}

export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** `nonce`: 12 fresh random bytes. `context`: what this is, for instance the provider state's id. */
export function seal(plaintext: string, key: Uint8Array, context: string, nonce: Uint8Array): string {
  assert(key.length === sealKeyBytes, 'a seal key has 32 bytes');
  assert(nonce.length === nonceBytes, 'a nonce has 12 bytes');
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return prefix + Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64');
}

export function open(sealed: string, key: Uint8Array, context: string): CaResult<string> {
  assert(key.length === sealKeyBytes, 'a seal key has 32 bytes');
  if (!isSealed(sealed)) return caErr('sealed', 'value is not sealed');
  const bytes = Buffer.from(sealed.slice(prefix.length), 'base64');
  if (bytes.length < nonceBytes + tagBytes) return caErr('sealed', 'sealed value is cut off');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return ok(plaintext.toString('utf8'));
  } catch {
    return caErr('sealed', 'sealed value cannot be opened: the key is another one, or the value was altered');
  }
}
