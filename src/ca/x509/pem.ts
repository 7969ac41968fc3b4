/** PEM (RFC 7468): base64 in 64-column lines between labelled fences. */
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';

export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** Far above any bundle of ours; keeps a hostile text from costing more than a moment. */
const pemCharactersMax = 1024 * 1024;
const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----\s([A-Za-z0-9+/=\s]*)-----END \1-----/g;

export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const lines = base64.match(/.{1,64}/g)?.join('\n') ?? '';
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** All blocks in order. Text between blocks is allowed, as people annotate bundles; a text without any block is an error. */
export function decodePem(text: string): CaResult<PemBlock[]> {
  if (text.length > pemCharactersMax) return caErr('pem', `PEM text of ${text.length} characters is too long`);
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(block)) {
    const base64 = match[2]!.replace(/\s/g, '');
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length === 0 || bytes.toString('base64') !== base64) return caErr('pem', `broken ${match[1]!} block`);
    blocks.push({ label: match[1]!, bytes });
  }
  const fences = text.split('-----BEGIN ').length - 1;
  if (blocks.length === 0) return caErr('pem', 'no PEM-encoded data found');
  if (blocks.length !== fences) return caErr('pem', 'a PEM block is cut off or broken');
  return ok(blocks);
}
