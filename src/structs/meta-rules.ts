/** Limits of the Meta maps of config entries and intentions. */
import { utf8Length } from '../std/utf8.ts';
import { compareText } from './intention-source.ts';

const metaPairsMax = 64;
const metaKeyBytesMax = 128;
const metaValueBytesMax = 512;

export function metaErrors(meta: Readonly<Record<string, string>> | null): string[] {
  if (meta === null) return [];
  const keys = Object.keys(meta).sort(compareText);
  if (keys.length > metaPairsMax) return [`Meta exceeds maximum element count ${metaPairsMax}`];
  const errors: string[] = [];
  for (const key of keys) {
    if (utf8Length(key) > metaKeyBytesMax) {
      errors.push(`Meta key ${JSON.stringify(key)} exceeds maximum length ${metaKeyBytesMax}`);
    }
    if (utf8Length(meta[key]!) > metaValueBytesMax) {
      errors.push(`Meta value for key ${JSON.stringify(key)} exceeds maximum length ${metaValueBytesMax}`);
    }
  }
  return errors;
}
