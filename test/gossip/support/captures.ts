/** Packets of real agents (Debian serf 0.9.4, Consul 1.10.10), one a file: a line that says what it is, then hex. */
import { readdirSync, readFileSync } from 'node:fs';
import { decryptPacket, decryptStream } from '../../../src/gossip/security/encryption.ts';
import { Keyring } from '../../../src/gossip/security/keyring.ts';

export interface Capture {
  readonly name: string;
  readonly about: string;
  readonly transport: 'udp' | 'tcp';
  /** As on the wire. */
  readonly raw: Uint8Array;
  /** After decryption, where there was any. */
  readonly plain: Uint8Array;
  readonly keyring: Keyring | undefined;
}

const folder = new URL('../captures/', import.meta.url);

export const captures: readonly Capture[] = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map(load);

export function capture(prefix: string): Capture {
  const found = captures.find(({ name }) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`no capture ${prefix}`);
  return found;
}

function load(file: string): Capture {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  const about = lines.filter((line) => line.startsWith('#')).join(' ');
  const hex = lines.filter((line) => !line.startsWith('#')).join('');
  const raw = new Uint8Array(Buffer.from(hex, 'hex'));
  const transport = about.includes('[TCP') ? 'tcp' : 'udp';
  const keyHex = /key \(\d+ bytes, hex\) ([0-9a-f]+)/.exec(about)?.[1];
  const keyring = keyHex === undefined ? undefined : new Keyring([Buffer.from(keyHex, 'hex').toString('base64')]);
  const none = new Uint8Array(0);
  let plain: Uint8Array | undefined = raw;
  if (keyring !== undefined && transport === 'udp') plain = decryptPacket(keyring, raw, none);
  if (keyring !== undefined && transport === 'tcp') plain = decryptStream(keyring, raw, none);
  if (plain === undefined) throw new Error(`${file} does not decrypt with its key`);
  return { name: file.replace('.txt', ''), about, transport, raw, plain, keyring };
}
