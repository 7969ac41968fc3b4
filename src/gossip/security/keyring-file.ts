/**
 * The keyring on disk: a JSON array of base64 keys, the primary first, readable by its owner only. Every change goes
 * to a new file that then takes the old one's place, so that a crash leaves one or the other.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { GossipError } from '../errors.ts';

/** undefined when there is no file. Throws GossipError `bad-option` when it is not a list of texts. */
export async function readKeyringFile(path: string): Promise<string[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const keys = parseKeys(text);
  if (keys === undefined) throw new GossipError('bad-option', `${path} is not a JSON list of keys`, { path });
  return keys;
}

function parseKeys(text: string): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the text, which is secret.
    return undefined;
  }
  return Array.isArray(value) && value.every((key) => typeof key === 'string') ? value : undefined;
}

export async function writeKeyringFile(path: string, keys: readonly string[]): Promise<void> {
  const fresh = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(fresh, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flush: true });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
