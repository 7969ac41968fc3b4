/**
 * Keeps the catalog's copy of this agent's services and checks right. Small syncs push what changed, right after it did;
 * a full sync compares everything, at start and about every minute, so that strangers and losses are found too.
 *
 * What a server refuses (no permission, a rule) is told and left until the next full sync, and does not hold up the rest.
 * What cannot be sent (no leader) stops the run, which is tried again.
 */

import type { Clock } from '../../std/clock.ts';
import type { HealthCheck, Node, NodeService } from '../../structs/index.ts';
import { CatalogWriter, type WriterParts } from './catalog-writer.ts';
import { checkText, sameMap, serviceText } from './same.ts';
import type { CheckEntry, LocalState, ServiceEntry } from './state.ts';

export interface AntiEntropyParts extends WriterParts {
  readonly state: LocalState;
  readonly clock: Clock;
  readonly chance: () => number;
  readonly checkUpdateIntervalMs: () => number;
  /** Members of the cluster: full syncs get rarer as it grows. */
  readonly members: () => number;
}
const fullSyncMs = 60_000;
const retryMs = 15_000;
/** The agent reads its own node from any server that heard the leader within this. */
const maxStaleMs = 2_000;
/** Belong to the servers, not to the agent. */
const serversService = 'consul';
const serversCheck = 'serfHealth';

export class AntiEntropy {
  readonly #parts: AntiEntropyParts;
  readonly #writer: CatalogWriter;
  #running: Promise<void> = Promise.resolve();
  #pauses = 0;
  #scheduled = false;
  #stopped = false;
  #unwatch: (() => void) | undefined;
  #cancelFull: (() => void) | undefined;
  readonly #cancelDeferred = new Map<string, () => void>();

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts;
    this.#writer = new CatalogWriter(parts);
  }

  /** Begins with a full sync; resolves when it ended, well or not. */
  start(): Promise<void> {
    this.#unwatch = this.#parts.state.watch((change) => {
      if (change.kind === 'check') this.#defer(change.id);
      this.#schedule();
    });
    return this.#full();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    this.#cancelFull?.();
    for (const cancel of this.#cancelDeferred.values()) cancel();
    await this.#running;
  }

  /** While the work runs, nothing is pushed: a service and its checks go in one piece. Then it is pushed, and waited for. */
  async whilePaused(work: () => void): Promise<void> {
    this.#pauses++;
    try {
      work();
    } finally {
      this.#pauses--;
    }
    await this.push();
  }

  /** Pushes what is out of sync. Failures are told, not thrown: the next sync tries again. */
  push(): Promise<void> {
    return this.#enqueue(() => this.#pushAll());
  }

  /** The node's own data may have changed: it goes with the next push. */
  nodeChanged(): void {
    this.#writer.nodeInSync = false;
  }

  /** Compares everything now. */
  syncFull(): Promise<void> {
    return this.#full();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#pauses === 0 && !this.#stopped) void this.push();
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const run = this.#running.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
      } catch (error) {
        if (this.#stopped) return;
        this.#parts.log.error('failed to sync changes', { error: (error as Error).message });
        this.#planFull(retryMs);
      }
    });
    this.#running = run;
    return run;
  }

  #full(): Promise<void> {
    return this.#enqueue(async () => {
      this.#planFull(fullSyncMs);
      await this.#compare();
      await this.#pushAll();
    });
  }

  #planFull(afterMs: number): void {
    this.#cancelFull?.();
    if (this.#stopped) return;
    const jitterMs = afterMs * scaleFactor(this.#parts.members()) * this.#parts.chance();
    this.#cancelFull = this.#parts.clock.after(afterMs + jitterMs, () => void this.#full());
  }

  /** An output that changed alone is sent after a while, once. */
  #defer(id: string): void {
    const entry = this.#parts.state.check(id);
    if (entry === undefined || !entry.outputDeferred || this.#cancelDeferred.has(id)) return;
    const interval = this.#parts.checkUpdateIntervalMs();
    const cancel = this.#parts.clock.after(interval / 2 + interval * this.#parts.chance(), () => {
      this.#cancelDeferred.delete(id);
      const now = this.#parts.state.check(id);
      if (now === undefined || !now.outputDeferred) return;
      this.#parts.state.settleCheck(id, now, { inSync: false, outputDeferred: false });
      this.#schedule();
    });
    this.#cancelDeferred.set(id, cancel);
  }

  async #compare(): Promise<void> {
    const { backend, state } = this.#parts;
    const { node } = this.#parts.node();
    const options = {
      caller: this.#writer.caller(this.#writer.agentToken()),
      consistency: 'stale',
      maxStaleMs,
    } as const;
    const remote = await backend.query('catalog.node', { node }, options);
    const checks = await backend.query('health.node', { node }, options);
    this.#writer.nodeInSync = remote.value !== null && this.#sameNode(remote.value.Node);
    this.#compareServices(new Map((remote.value?.Services ?? []).map((service) => [service.ID, service])));
    this.#compareChecks(new Map(checks.value.map((check) => [check.CheckID, check])));
    for (const service of remote.value?.Services ?? []) {
      if (service.ID !== serversService) state.addForeignService(service);
    }
    for (const check of checks.value) if (check.CheckID !== serversCheck) state.addForeignCheck(check);
  }

  #sameNode(remote: Node): boolean {
    const mine = this.#parts.node();
    return (
      remote.ID === mine.id &&
      remote.Address === mine.address &&
      sameMap(remote.TaggedAddresses, mine.taggedAddresses) &&
      sameMap(remote.Meta, mine.meta)
    );
  }

  #compareServices(remote: ReadonlyMap<string, NodeService>): void {
    const { state } = this.#parts;
    for (const [id, entry] of state.everyService()) {
      const known = remote.get(id);
      if (entry.deleted || known === undefined) {
        state.settleService(id, entry, known === undefined && entry.deleted);
        continue;
      }
      const remoteText = serviceText(known);
      // Tags that somebody changed in the catalog hold where the service allows it.
      if (entry.service.EnableTagOverride) {
        const Tags = known.Tags ?? [];
        state.takeTags(id, entry, Tags, serviceText({ ...entry.service, Tags }) === remoteText);
      } else {
        state.settleService(id, entry, serviceText(entry.service) === remoteText);
      }
    }
  }

  #compareChecks(remote: ReadonlyMap<string, HealthCheck>): void {
    const { state } = this.#parts;
    for (const [id, entry] of state.everyCheck()) {
      const known = remote.get(id);
      if (entry.deleted || known === undefined) {
        state.settleCheck(id, entry, { inSync: known === undefined && entry.deleted });
        continue;
      }
      const output = entry.outputDeferred ? known.Output : entry.check.Output;
      state.settleCheck(id, entry, { inSync: checkText({ ...entry.check, Output: output }) === checkText(known) });
    }
  }

  async #pushAll(): Promise<void> {
    const { state } = this.#parts;
    for (const [id, entry] of state.everyService()) {
      if (!entry.inSync) await (entry.deleted ? this.#deleteService(id, entry) : this.#pushService(id, entry));
    }
    for (const [id, entry] of state.everyCheck()) {
      if (!entry.inSync) await (entry.deleted ? this.#deleteCheck(id, entry) : this.#pushCheck(id, entry));
    }
    if (!this.#writer.nodeInSync) await this.#pushNode();
  }

  async #pushService(id: string, entry: ServiceEntry): Promise<void> {
    const { state } = this.#parts;
    const token = this.#writer.tokenOf(entry.token);
    const companions = [...state.everyCheck()].filter(
      ([, check]) =>
        !check.inSync && !check.deleted && check.check.ServiceID === id && this.#writer.tokenOf(check.token) === token,
    );
    const checks = companions.map(([, check]) => check.check);
    const done = await this.#writer.attempt(`Service registration blocked by ACLs`, { service: id }, () =>
      this.#writer.register(token, { Service: entry.service, Checks: checks }),
    );
    if (done === 'sent') this.#parts.log.info('Synced service', { service: id });
    state.settleService(id, entry, true);
    for (const [checkId, check] of companions) {
      state.settleCheck(checkId, check, { inSync: true, outputDeferred: false });
    }
  }

  async #pushCheck(id: string, entry: CheckEntry): Promise<void> {
    const { state } = this.#parts;
    const service = state.service(entry.check.ServiceID)?.service ?? null;
    const done = await this.#writer.attempt('Check registration blocked by ACLs', { check: id }, () =>
      this.#writer.register(this.#writer.tokenOf(entry.token), { Service: service, Checks: [entry.check] }),
    );
    if (done === 'sent') this.#parts.log.info('Synced check', { check: id });
    state.settleCheck(id, entry, { inSync: true, outputDeferred: false });
  }

  async #pushNode(): Promise<void> {
    const done = await this.#writer.attempt('Node info update blocked by ACLs', { node: this.#parts.node().node }, () =>
      this.#writer.register(this.#writer.agentToken(), { Service: null, Checks: [] }),
    );
    this.#writer.nodeInSync = true;
    if (done === 'sent') this.#parts.log.info('Synced node info');
  }

  async #deleteService(id: string, entry: ServiceEntry): Promise<void> {
    const done = await this.#writer.attempt('Service deregistration blocked by ACLs', { service: id }, () =>
      this.#writer.deregister(entry.token, { ServiceID: id, CheckID: '' }),
    );
    if (done === 'sent') this.#parts.log.info('Deregistered service', { service: id });
    this.#parts.state.settleService(id, entry, true);
  }

  async #deleteCheck(id: string, entry: CheckEntry): Promise<void> {
    const done = await this.#writer.attempt('Check deregistration blocked by ACLs', { check: id }, () =>
      this.#writer.deregister(entry.token, { ServiceID: '', CheckID: id }),
    );
    if (done === 'sent') this.#parts.log.info('Deregistered check', { check: id });
    this.#parts.state.settleCheck(id, entry, { inSync: true });
  }
}

/** 1 up to 128 members; then it grows with the logarithm of the cluster. */
export function scaleFactor(members: number): number {
  return members <= 128 ? 1 : Math.ceil(Math.log2(members) - 7) + 1;
}
