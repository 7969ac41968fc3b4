/**
 * A datacenter in memory: a real CaManager over a simulated log, and a backend that answers as a server's would, with
 * blocking reads of the roots. Time is the test's.
 */
import { createHash, randomUUID } from 'node:crypto';
import { CaManager, type CaManagerOptions, type CaServer } from '../../../src/agent/connect/index.ts';
import type { Answer, Backend, ReadOptions } from '../../../src/api/backend.ts';
import { type CaChange, type CaState, trustDomainOf } from '../../../src/ca/index.ts';
import { Refusal } from '../../../src/fsm/index.ts';
import type { CaRoots } from '../../../src/structs/index.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

type Stored = CaState & { readonly rootsIndex: number };

export class Datacenter implements CaServer {
  readonly datacenter = 'dc1';
  readonly clock = new VirtualClock();
  readonly manager: CaManager;
  readonly log: string[] = [];
  index = 4;
  /** Set to make the next writes or signatures fail. */
  failWith: Error | null = null;
  signed = 0;
  #serial = 6;
  #stored: Stored = { roots: [], configuration: null, providerState: null, rootsIndex: 0 };
  readonly #watchers = new Set<() => void>();

  constructor(options: Partial<CaManagerOptions> = {}) {
    let draws = 0;
    this.manager = new CaManager(
      { provider: 'consul', config: { LeafCertTTL: '72h', IntermediateCertTTL: '8760h' }, sealKey: null, ...options },
      {
        server: this,
        clock: this.clock,
        uuid: randomUUID,
        randomBytes: (size) => createHash('sha512').update(`${draws++}`).digest().subarray(0, size),
        log: {
          info: (message) => void this.log.push(message),
          warn: (message, { error }) => void this.log.push(`${message}: ${error}`),
        },
      },
    );
  }

  read(): Stored {
    return this.#stored;
  }

  async write(change: CaChange, basis: { rootsIndex: number; configurationIndex: number }): Promise<void> {
    await Promise.resolve();
    if (this.failWith !== null) throw this.failWith;
    const { rootsIndex, configuration } = this.#stored;
    if (basis.rootsIndex !== rootsIndex || basis.configurationIndex !== (configuration?.ModifyIndex ?? 0)) {
      throw new Refusal('conflict', 'could not atomically update roots and config');
    }
    this.index++;
    const stamp = { ModifyIndex: this.index };
    this.#stored = {
      roots: change.roots.map((root) => ({ ...root, ...stamp })),
      configuration: { ...change.configuration, ...stamp },
      providerState: { ...change.providerState, ...stamp },
      rootsIndex: this.index,
    };
    for (const wake of [...this.#watchers]) wake();
  }

  async nextSerial(): Promise<{ Serial: number; Index: number }> {
    await Promise.resolve();
    if (this.failWith !== null) throw this.failWith;
    return { Serial: ++this.#serial, Index: ++this.index };
  }

  /** The doors' view of this datacenter. */
  backend(): Pick<Backend, 'query' | 'call' | 'datacenter'> {
    const query = async (name: string, _args: unknown, options: ReadOptions): Promise<Answer<CaRoots | null>> => {
      if (name !== 'ca.roots') throw new Error(`not simulated: ${name}`);
      while (this.#stored.rootsIndex <= (options.minIndex || -1) && !options.signal?.aborted)
        await this.#change(options.signal);
      return {
        value: this.#roots(),
        index: this.#stored.rootsIndex,
        knownLeader: true,
        lastContactMs: 0,
        notFound: false,
      };
    };
    const call = async (name: string, args: { csr: string }) => {
      if (name !== 'ca.sign') throw new Error(`not simulated: ${name}`);
      if (this.failWith !== null) throw this.failWith;
      this.signed++;
      return this.manager.sign(args.csr, () => undefined);
    };
    return { datacenter: this.datacenter, query, call } as unknown as Pick<Backend, 'query' | 'call' | 'datacenter'>;
  }

  #roots(): CaRoots | null {
    const { roots, configuration } = this.#stored;
    const active = roots.find((root) => root.Active);
    if (configuration === null || active === undefined) return null;
    return { ActiveRootID: active.ID, TrustDomain: trustDomainOf(configuration.ClusterID), Roots: roots };
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watchers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#watchers.add(wake);
    });
  }
}
