/** Checks the options once, and turns them into what the parts need. Throws GossipError `bad-option`. */
import type { GossipOptions } from './api.ts';
import { type GossipConfig, gossipConfig } from './config.ts';
import { GossipError } from './errors.ts';
import { Keyring } from './security/keyring.ts';
import { readKeyringFile, writeKeyringFile } from './security/keyring-file.ts';
import type { Member } from './serf/member.ts';
import { parseNetwork } from './transport/addresses.ts';
import { metaBytesMax } from './wire/limits.ts';
import { encodeTags } from './wire/serf.ts';
import { encodeUtf8, utf8Length } from './wire/utf8.ts';

const nameLengthMax = 128;

export function checkedConfig(options: GossipOptions): GossipConfig {
  const { name, label = '', tags = {}, bindPort } = options;
  if (!/^[\w.-]+$/.test(name) || name.length > nameLengthMax) {
    throw bad(`name must be 1 to ${nameLengthMax} letters, digits, "-", "_" or ".", not ${JSON.stringify(name)}`);
  }
  if (utf8Length(label) > 255) throw bad('label must be at most 255 bytes');
  if (!Number.isInteger(bindPort) || bindPort < 0 || bindPort > 0xffff) throw bad(`bindPort ${bindPort} is no port`);
  const metaBytes = encodeTags(tags).length;
  if (metaBytes > metaBytesMax)
    throw bad(`the encoded tags take ${metaBytes} bytes, at most ${metaBytesMax} are allowed`);
  try {
    return gossipConfig(options.profile, options.config);
  } catch (error) {
    if (error instanceof RangeError) throw bad(error.message);
    throw error;
  }
}

const bad = (message: string): GossipError => new GossipError('bad-option', message);

export const labelBytes = (options: GossipOptions): Uint8Array => encodeUtf8(options.label ?? '');

/** The file wins over the option; without a file the option's keys are written there, so that later changes last. */
export async function openKeyring(options: GossipOptions): Promise<Keyring> {
  const { keyring = [], keyringPath } = options;
  if (keyringPath === undefined) return new Keyring(keyring);
  const stored = await readKeyringFile(keyringPath);
  const ring = new Keyring(stored ?? keyring);
  if (stored === undefined && ring.enabled) await writeKeyringFile(keyringPath, ring.base64());
  return ring;
}

/** The application's rule and the allowed networks as one rule. */
export function admission(options: GossipOptions): ((member: Member) => string | undefined) | undefined {
  const { admit, allowedCidrs } = options;
  if (allowedCidrs === undefined) return admit;
  const networks = allowedCidrs.map(parseNetwork);
  return (member) => {
    if (!networks.some((network) => network.contains(member.address))) {
      return `${member.address} is in none of the allowed networks`;
    }
    return admit?.(member);
  };
}
