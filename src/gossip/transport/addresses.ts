/** From what people write, `[name/]host[:port]`, to where packets go. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { GossipError } from '../errors.ts';
import type { Endpoint } from '../swim/types.ts';
import { addressToBytes, canonicalAddress } from '../wire/address.ts';

export interface JoinTarget {
  readonly host: string;
  readonly port: number;
}

/** Throws GossipError `bad-option`. The name in front is for people; members are known by what they say themselves. */
export function parseJoinAddress(text: string, defaultPort: number): JoinTarget {
  const address = text.includes('/') ? text.slice(text.indexOf('/') + 1) : text;
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(address);
  const plain = /^([^:]+)(?::(\d+))?$/.exec(address);
  const bare6 = canonicalAddress(address);
  const [host, port] = bracketed ? [bracketed[1], bracketed[2]] : plain ? [plain[1], plain[2]] : [bare6, undefined];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || !(number > 0 && number <= 0xffff)) {
    throw new GossipError('bad-option', `cannot join ${JSON.stringify(text)}: want host or host:port`, {
      address: text,
    });
  }
  return { host, port: number };
}

/** All addresses of the host. Rejects as the resolver does. */
export async function resolveTarget({ host, port }: JoinTarget): Promise<Endpoint[]> {
  const direct = canonicalAddress(host);
  if (direct !== undefined) return [{ address: direct, port }];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => ({ address: canonicalAddress(address) ?? address, port }));
}

/** What others can reach us by: the bound address, or for "any" the first address that is not loopback. */
export function advertisableAddress(bindAddress: string): string {
  const canonical = canonicalAddress(bindAddress);
  if (canonical === undefined) {
    throw new GossipError('bad-option', `bindAddress is not an IP address: ${bindAddress}`, { bindAddress });
  }
  if (canonical !== '0.0.0.0' && canonical !== '::') return canonical;
  const family = canonical === '::' ? 'IPv6' : 'IPv4';
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.filter((entry) => entry.family === family);
  const best = own.find((entry) => !entry.internal) ?? own[0];
  if (best === undefined) throw new GossipError('bad-option', `no ${family} address to advertise`, { bindAddress });
  return canonicalAddress(best.address) ?? best.address;
}

export interface Network {
  contains(address: string): boolean;
}

/** Throws GossipError `bad-option` for what is no CIDR. */
export function parseNetwork(cidr: string): Network {
  const match = /^(.+)\/(\d{1,3})$/.exec(cidr);
  const base = match === null ? undefined : addressBits(match[1]!);
  const prefix = Number(match?.[2]);
  if (base === undefined || prefix > base.width) {
    throw new GossipError('bad-option', `not a network: ${cidr}`, { cidr });
  }
  const shift = BigInt(base.width - prefix);
  return {
    contains(address) {
      const other = addressBits(address);
      return other?.width === base.width && other.bits >> shift === base.bits >> shift;
    },
  };
}

function addressBits(text: string): { width: number; bits: bigint } | undefined {
  const canonical = canonicalAddress(text);
  if (canonical === undefined) return undefined;
  const bytes = [...addressToBytes(canonical)];
  return { width: bytes.length * 8, bits: bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) };
}
