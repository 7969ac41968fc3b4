/**
 * Encryption of packets and streams: AES-GCM with the keys of the ring.
 *
 *     payload := version(1) nonce(12) ciphertext tag(16)
 *     UDP     := payload                              authenticated with it: the label
 *     TCP     := 0a length(u32) payload               authenticated with it: those 5 bytes, then the label
 *
 * Version 0 pads the plaintext to 16 bytes (PKCS7) and is only read; version 1 does not and is what everybody writes.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Key, Keyring } from './keyring.ts';

const nonceBytes = 12;
const tagBytes = 16;
/** What encryption adds to a packet. */
export const encryptionOverheadBytes = 1 + nonceBytes + tagBytes;
export const streamFrameHeaderBytes = 5;
const streamFrameType = 10;

export function encryptPacket(keyring: Keyring, plain: Uint8Array, label: Uint8Array): Uint8Array {
  return encrypt(keyring.primary!, plain, label);
}

export function encryptStream(keyring: Keyring, plain: Uint8Array, label: Uint8Array): Uint8Array {
  const header = Buffer.alloc(streamFrameHeaderBytes);
  header[0] = streamFrameType;
  header.writeUInt32BE(plain.length + encryptionOverheadBytes, 1);
  const payload = encrypt(keyring.primary!, plain, Buffer.concat([header, label]));
  return Buffer.concat([header, payload]);
}

/** undefined when no key of the ring opens it. */
export function decryptPacket(keyring: Keyring, payload: Uint8Array, label: Uint8Array): Uint8Array | undefined {
  return decrypt(keyring.keys, payload, label);
}

/** A whole frame, header included. */
export function decryptStream(keyring: Keyring, frame: Uint8Array, label: Uint8Array): Uint8Array | undefined {
  const additional = Buffer.concat([frame.subarray(0, streamFrameHeaderBytes), label]);
  return decrypt(keyring.keys, frame.subarray(streamFrameHeaderBytes), additional);
}

/** Bytes of the frame that starts with `header`: its own announcement; undefined when it is not a frame. */
export function streamFrameBytes(header: Uint8Array): number | undefined {
  if (header[0] !== streamFrameType || header.length < streamFrameHeaderBytes) return undefined;
  return streamFrameHeaderBytes + Buffer.from(header.buffer, header.byteOffset, 5).readUInt32BE(1);
}

function encrypt(key: Key, plain: Uint8Array, additional: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(key.algorithm, key.object, nonce);
  cipher.setAAD(additional);
  const body = cipher.update(plain);
  cipher.final();
  const out = new Uint8Array(encryptionOverheadBytes + plain.length);
  out[0] = 1;
  out.set(nonce, 1);
  out.set(body, 1 + nonceBytes);
  out.set(cipher.getAuthTag(), 1 + nonceBytes + plain.length);
  return out;
}

function decrypt(keys: readonly Key[], payload: Uint8Array, additional: Uint8Array): Uint8Array | undefined {
  const version = payload[0];
  const bytesMin = encryptionOverheadBytes + (version === 0 ? 16 : 0);
  if (version === undefined || version > 1 || payload.length < bytesMin) return undefined;
  for (const key of keys) {
    const plain = tryKey(key, payload, additional);
    if (plain !== undefined) return version === 0 ? withoutPadding(plain) : plain;
  }
  return undefined;
}

function tryKey(key: Key, payload: Uint8Array, additional: Uint8Array): Uint8Array | undefined {
  const bodyEnd = payload.length - tagBytes;
  const nonce = payload.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv(key.algorithm, key.object, nonce, { authTagLength: tagBytes });
  decipher.setAAD(additional);
  decipher.setAuthTag(payload.subarray(bodyEnd));
  const plain = decipher.update(payload.subarray(1 + nonceBytes, bodyEnd));
  try {
    decipher.final();
  } catch {
    // The one thing `final` throws for: this key did not make this tag. The next may have.
    return undefined;
  }
  // A plain view: the rest of the library counts on Uint8Array's `slice`, which copies; Buffer's does not.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
}

function withoutPadding(plain: Uint8Array): Uint8Array | undefined {
  const padding = plain[plain.length - 1]!;
  if (padding < 1 || padding > 16 || padding > plain.length) return undefined;
  return plain.subarray(0, plain.length - padding);
}
