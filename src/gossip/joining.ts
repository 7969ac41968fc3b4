/** How a member finds others: by the addresses that people write, and after a restart by what it remembers. */
import type { JoinOptions, JoinResult, Logger } from './api.ts';
import type { Driver } from './driver.ts';
import { GossipError, gossipErrorCodes } from './errors.ts';
import type { PoolEvent } from './serf/context.ts';
import { hostPort, type Snapshot } from './serf/snapshot.ts';
import type { Endpoint } from './swim/types.ts';
import { parseJoinAddress, resolveTarget } from './transport/addresses.ts';
import { systemRandom } from './transport/system.ts';
import { canonicalAddress } from './wire/address.ts';

export interface JoiningParts {
  readonly ownName: string;
  /** Where members listen whose address says no port. */
  readonly defaultPort: number;
  readonly driver: Driver;
  readonly logger: Logger;
}

export class Joining {
  private readonly parts: JoiningParts;
  private readonly open = new Map<number, (failure: GossipError | undefined) => void>();
  private last = 0;
  private stopped = false;

  constructor(parts: JoiningParts) {
    this.parts = parts;
  }

  /** Contacts all; rejects with `join-failed` if none answered. */
  async join(addresses: readonly string[], options: JoinOptions = {}): Promise<JoinResult> {
    const errors: { address: string; error: Error }[] = [];
    let joined = 0;
    const attempts = addresses.map(async (address) => {
      try {
        joined += await this.joinAddress(address, options.ignoreOldEvents ?? false);
      } catch (error) {
        errors.push({ address, error: error as Error });
      }
    });
    await Promise.all(attempts);
    if (joined > 0 && !this.stopped) this.parts.driver.run((pool, nowMs) => pool.announceJoin(nowMs));
    if (joined === 0 && addresses.length > 0) {
      const reasons = errors.map(({ address, error }) => `${address}: ${error.message}`).join('; ');
      throw new GossipError('join-failed', `none of the members could be joined: ${reasons}`, { addresses, errors });
    }
    return { joined, errors };
  }

  /** Every address of a host is tried; gives how many answered, or throws the last failure if none did. */
  private async joinAddress(text: string, ignoreOldEvents: boolean): Promise<number> {
    const endpoints = await resolveTarget(parseJoinAddress(text, this.parts.defaultPort));
    const failures = await Promise.all(endpoints.map((endpoint) => this.contact(endpoint, ignoreOldEvents)));
    const joined = failures.filter((failure) => failure === undefined).length;
    const failure = failures.find((one) => one !== undefined);
    if (joined === 0) throw failure ?? new GossipError('not-reachable', `${text} has no address`);
    return joined;
  }

  private contact(to: Endpoint, ignoreOldEvents: boolean): Promise<GossipError | undefined> {
    if (this.stopped) throw new GossipError('stopped', gossipErrorCodes.stopped);
    const join = ++this.last;
    return new Promise((resolve) => {
      this.open.set(join, resolve);
      this.parts.driver.run((pool, nowMs) => pool.join(to, join, ignoreOldEvents, nowMs));
    });
  }

  /** What the pool says of a join of ours. */
  done({ join, failure }: Extract<PoolEvent, { kind: 'joinDone' }>): void {
    const resolve = this.open.get(join);
    this.open.delete(join);
    resolve?.(failure === undefined ? undefined : new GossipError(failure.code, failure.reason));
  }

  /** After a restart: the members of the snapshot, one after the other in random order, until one answers. */
  async rejoin(snapshot: Snapshot): Promise<void> {
    const { ownName, logger } = this.parts;
    const known = [...snapshot.alive].filter(([name]) => name !== ownName);
    for (const [name, at] of systemRandom().shuffle(known)) {
      const address = canonicalAddress(at.address);
      if (this.stopped || address === undefined) return;
      const failure = await this.contact({ address, port: at.port }, false);
      if (failure === undefined) return logger.info({ member: name }, 'rejoined the pool of the snapshot');
      logger.debug({ member: name, at: hostPort(at), error: failure.message }, 'a member of the snapshot is not there');
    }
    if (known.length > 0) logger.warn({ tried: known.length }, 'no member of the snapshot could be reached');
  }

  stop(): void {
    this.stopped = true;
    for (const resolve of this.open.values()) resolve(new GossipError('stopped', gossipErrorCodes.stopped));
  }
}
