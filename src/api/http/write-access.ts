/**
 * Who may connect and who may write: address ranges for writes (`http_config.allow_write_http_from`) and the number of
 * connections one address may hold (`limits.http_max_conns_per_client`).
 */
import { BlockList, isIP } from 'node:net';
import { HeddleError } from '../../std/errors.ts';

/** True for an address in one of the CIDR ranges; an empty list lets everyone in. Throws on a range it cannot read. */
export function writersFrom(ranges: readonly string[]): (address: string) => boolean {
  if (ranges.length === 0) return () => true;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix = ''] = range.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d+$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) {
      throw new HeddleError('config', `allow_write_http_from: ${JSON.stringify(range)} is not a CIDR range`, { range });
    }
    list.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Counts the open connections of each address. */
export class ConnectionLimit {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** `max` 0: no limit. */
  constructor(max: number) {
    this.#max = max;
  }

  /** False when the address has all it may have; else the caller owes a `release`. */
  acquire(address: string): boolean {
    const open = this.#open.get(address) ?? 0;
    if (this.#max > 0 && open >= this.#max) return false;
    this.#open.set(address, open + 1);
    return true;
  }

  release(address: string): void {
    const open = this.#open.get(address) ?? 0;
    if (open <= 1) this.#open.delete(address);
    else this.#open.set(address, open - 1);
  }
}
