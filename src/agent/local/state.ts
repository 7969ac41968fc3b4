/**
 * What this agent knows of its own services and checks, and which of it the catalog does not know yet. The truth about an
 * agent's services is here; the catalog holds a copy that anti-entropy keeps right (`anti-entropy.ts`).
 *
 * Records are replaced, never changed in place: who holds one holds a snapshot.
 */
import { mergeServiceConfig } from '../../mesh/index.ts';
import type { HealthCheck, NodeService, ServiceConfig } from '../../structs/index.ts';

/** Where a registration came from: a configuration file (gone when the file no longer says it) or the API. */
export type Provenance = 'config' | 'remote';

export interface ServiceEntry {
  /** What is shown and what the catalog holds: the definition, filled up with central configuration. */
  readonly service: NodeService;
  /** As it was registered: what survives a restart, and what says whether the agent runs the sidecar. */
  readonly definition: NodeService;
  /** Of proxies, when the servers were asked. */
  readonly central: ServiceConfig | undefined;
  readonly token: string;
  readonly source: Provenance;
  /** The service that this sidecar was made for; it leaves with it. */
  readonly sidecarOf: string | undefined;
  readonly inSync: boolean;
  /** Deregistered here, still to be taken out of the catalog. */
  readonly deleted: boolean;
}

type CentralPart = Pick<ServiceEntry, 'central'>;

export interface CheckEntry {
  readonly check: HealthCheck;
  readonly token: string;
  readonly source: Provenance;
  readonly inSync: boolean;
  readonly deleted: boolean;
  /** Monotonic ms since when it is critical without a break; undefined when it is not. */
  readonly criticalSinceMs: number | undefined;
  /** Only its output changed and may wait: it is not compared until then. */
  readonly outputDeferred: boolean;
}

/** `service`: a definition came, changed or went. `check`: the same of a check, or its status or output changed. */
export type LocalChange =
  | { readonly kind: 'service'; readonly id: string }
  | { readonly kind: 'check'; readonly id: string; readonly serviceId: string; readonly statusChanged: boolean };

export class LocalState {
  readonly #services = new Map<string, ServiceEntry>();
  readonly #checks = new Map<string, CheckEntry>();
  readonly #listeners = new Set<(change: LocalChange) => void>();

  /** Tells every change until the returned function is called. Listeners must not throw. */
  watch(listener: (change: LocalChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  service(id: string): ServiceEntry | undefined {
    const entry = this.#services.get(id);
    return entry?.deleted === true ? undefined : entry;
  }
  check(id: string): CheckEntry | undefined {
    const entry = this.#checks.get(id);
    return entry?.deleted === true ? undefined : entry;
  }
  /** Living ones, by id. */
  services(): ReadonlyMap<string, ServiceEntry> {
    return living(this.#services);
  }
  checks(): ReadonlyMap<string, CheckEntry> {
    return living(this.#checks);
  }
  checksOf(serviceId: string): CheckEntry[] {
    return [...this.checks().values()].filter((entry) => entry.check.ServiceID === serviceId);
  }
  /** With the deleted ones: what anti-entropy works on. */
  everyService(): ReadonlyMap<string, ServiceEntry> {
    return this.#services;
  }
  everyCheck(): ReadonlyMap<string, CheckEntry> {
    return this.#checks;
  }

  /** `entry.service` is the definition. Without `central`, what was known of a service of this id goes on being so. */
  putService(entry: Pick<ServiceEntry, 'service' | 'token' | 'source' | 'sidecarOf'> & Partial<CentralPart>): void {
    const { service: definition } = entry;
    const before = this.service(definition.ID);
    const central = entry.central ?? before?.central;
    const service = merged(definition, central);
    const same = before !== undefined && before.token === entry.token && isSame(before.service, service);
    const inSync = same && before.inSync;
    this.#services.set(definition.ID, { ...entry, definition, central, service, inSync, deleted: false });
    this.#tell({ kind: 'service', id: definition.ID });
  }

  /** Central configuration of a service changed. */
  putCentral(id: string, central: ServiceConfig): void {
    const entry = this.service(id);
    if (entry !== undefined) this.putService({ ...entry, service: entry.definition, central });
  }

  putCheck(entry: Omit<CheckEntry, 'inSync' | 'deleted' | 'outputDeferred'>): void {
    const { CheckID: id, ServiceID: serviceId } = entry.check;
    const before = this.check(id);
    const same = before !== undefined && before.token === entry.token && isSame(before.check, entry.check);
    this.#checks.set(id, { ...entry, inSync: same && before.inSync, deleted: false, outputDeferred: false });
    this.#tell({ kind: 'check', id, serviceId, statusChanged: before?.check.Status !== entry.check.Status });
  }

  /** Marks it for removal from the catalog; whether it was there. */
  deleteService(id: string): boolean {
    const entry = this.service(id);
    if (entry === undefined) return false;
    this.#services.set(id, { ...entry, inSync: false, deleted: true });
    this.#tell({ kind: 'service', id });
    return true;
  }

  deleteCheck(id: string): boolean {
    const entry = this.check(id);
    if (entry === undefined) return false;
    this.#checks.set(id, { ...entry, inSync: false, deleted: true });
    this.#tell({ kind: 'check', id, serviceId: entry.check.ServiceID, statusChanged: true });
    return true;
  }

  /** A new state of a check. An output that may wait leaves it in sync, marked as deferred. */
  setCheckState(id: string, status: string, output: string, nowMs: number, mayDefer: boolean): void {
    const entry = this.check(id);
    if (entry === undefined) return;
    const statusChanged = entry.check.Status !== status;
    if (!statusChanged && entry.check.Output === output) return;
    const deferred = !statusChanged && mayDefer;
    this.#checks.set(id, {
      ...entry,
      check: { ...entry.check, Status: status, Output: output },
      criticalSinceMs: status === 'critical' ? (entry.criticalSinceMs ?? nowMs) : undefined,
      inSync: deferred ? entry.inSync : false,
      outputDeferred: deferred || (entry.outputDeferred && !statusChanged),
    });
    this.#tell({ kind: 'check', id, serviceId: entry.check.ServiceID, statusChanged });
  }

  /** What anti-entropy found out. `entry` is what it worked on: a newer one is left alone. */
  settleService(id: string, entry: ServiceEntry, inSync: boolean): void {
    if (this.#services.get(id) !== entry) return;
    if (entry.deleted && inSync) this.#services.delete(id);
    else this.#services.set(id, { ...entry, inSync });
  }
  /** The catalog's tags are the service's own from now on. */
  takeTags(id: string, entry: ServiceEntry, Tags: NodeService['Tags'], inSync: boolean): void {
    if (this.#services.get(id) !== entry) return;
    const definition = { ...entry.definition, Tags };
    this.#services.set(id, { ...entry, definition, service: { ...entry.service, Tags }, inSync });
  }
  settleCheck(id: string, entry: CheckEntry, change: Partial<Pick<CheckEntry, 'inSync' | 'outputDeferred'>>): void {
    if (this.#checks.get(id) !== entry) return;
    if (entry.deleted && change.inSync === true) this.#checks.delete(id);
    else this.#checks.set(id, { ...entry, ...change });
  }

  /** Strangers found in the catalog under this node: to be taken out of it. */
  addForeignService(service: NodeService): void {
    if (this.#services.has(service.ID)) return;
    this.#services.set(service.ID, {
      service,
      definition: service,
      central: undefined,
      token: '',
      source: 'remote',
      sidecarOf: undefined,
      inSync: false,
      deleted: true,
    });
  }
  addForeignCheck(check: HealthCheck): void {
    if (this.#checks.has(check.CheckID)) return;
    this.#checks.set(check.CheckID, {
      check,
      token: '',
      source: 'remote',
      inSync: false,
      deleted: true,
      criticalSinceMs: undefined,
      outputDeferred: false,
    });
  }

  #tell(change: LocalChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

const merged = (definition: NodeService, central: ServiceConfig | undefined): NodeService =>
  central === undefined ? definition : mergeServiceConfig(definition, central);

/** Definitions are read anew at a reload, in the same order of fields. */
const isSame = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

function living<E extends { readonly deleted: boolean }>(map: ReadonlyMap<string, E>): ReadonlyMap<string, E> {
  return new Map([...map].filter(([, entry]) => !entry.deleted));
}
