/**
 * Registers and deregisters: from a definition, by the rules, into the local state, and at once to the catalog. Definitions
 * come from the API (kept in the data directory) and from configuration files (kept by the files).
 */
import type { CheckRegistration, ServiceConfig, ServiceRegistration } from '../structs/index.ts';
import type { AgentConfig } from './config/index.ts';
import {
  checksOf,
  nestedChecks,
  type ServiceToRun,
  serviceRecord,
  standaloneCheck,
  validateCheck,
  validateService,
} from './definitions/registration.ts';
import { expandSidecar } from './definitions/sidecar.ts';
import type { AntiEntropy } from './local/anti-entropy.ts';
import type { CentralConfig } from './local/central-config.ts';
import type { Verdict } from './local/checks/runner.ts';
import { LocalError } from './local/errors.ts';
import type { Registry } from './local/registry.ts';
import type { Provenance } from './local/state.ts';

/** A definition made out: itself, and the sidecar that it asks for. */
interface Expanded {
  readonly parent: ServiceToRun;
  readonly sidecar: ServiceToRun | undefined;
}

/** What central configuration says of each by id. */
type CentralById = ReadonlyMap<string, ServiceConfig | undefined>;

export interface RegistrationsParts {
  readonly registry: Registry;
  readonly sync: AntiEntropy;
  /** Undefined where it is switched off. */
  readonly central: CentralConfig | undefined;
  readonly node: string;
  /** Where sidecars that the agent runs listen. */
  readonly bindAddress: string | undefined;
}

export class Registrations {
  readonly #registry: Registry;
  readonly #sync: AntiEntropy;
  readonly #central: CentralConfig | undefined;
  readonly #node: string;
  readonly #bindAddress: string | undefined;

  constructor({ registry, sync, central, node, bindAddress }: RegistrationsParts) {
    this.#registry = registry;
    this.#sync = sync;
    this.#central = central;
    this.#node = node;
    this.#bindAddress = bindAddress;
  }

  /** Resolves when the catalog was told, or could not be. Throws a LocalError before anything changed. */
  async registerService(definition: ServiceRegistration, token: string, replaceChecks: boolean): Promise<void> {
    validateService(definition);
    const central = await this.#centralOf(this.#expand(definition, token));
    // Made out anew: while the servers were asked, another one may have taken the sidecar's port.
    await this.#sync.whilePaused(() => {
      this.#addService(this.#expand(definition, token), 'remote', { replaceChecks, central });
    });
  }

  async deregisterService(id: string): Promise<boolean> {
    let was = false;
    await this.#sync.whilePaused(() => {
      was = this.#registry.removeService(id);
    });
    return was;
  }

  async registerCheck(definition: CheckRegistration, token: string): Promise<void> {
    validateCheck(definition);
    const check = standaloneCheck(definition, this.#node, true);
    await this.#sync.whilePaused(() => this.#registry.addCheck(check, token, 'remote'));
  }

  async deregisterCheck(id: string): Promise<boolean> {
    let was = false;
    await this.#sync.whilePaused(() => {
      was = this.#registry.removeCheck(id);
    });
    return was;
  }

  async updateCheck(id: string, status: Verdict, output: string): Promise<void> {
    await this.#sync.whilePaused(() => this.#registry.updateTtl(id, status, output));
  }

  async setMaintenance(serviceId: string | undefined, reason: string | undefined, token: string): Promise<void> {
    if (serviceId !== undefined && this.#registry.state.service(serviceId) === undefined) {
      throw new LocalError('notFound', `No service registered with ID ${JSON.stringify(serviceId)}`);
    }
    await this.#sync.whilePaused(() => this.#registry.setMaintenance(serviceId, reason, token));
  }

  /**
   * Brings the definitions of files in: those that are gone from the files go, the others come (back). Throws a LocalError
   * that names the definition; those before it are in.
   */
  loadFiles(config: Pick<AgentConfig, 'services' | 'checks'>): void {
    const services = new Set(config.services.flatMap(idsOf));
    for (const [id, entry] of this.#registry.state.services()) {
      if (entry.source === 'config' && !services.has(id)) this.#registry.removeService(id);
    }
    for (const service of config.services) this.#loadService(service);
    const checks = new Set(config.checks.map((check) => (check.ID === '' ? check.Name : check.ID)));
    for (const [id, entry] of this.#registry.state.checks()) {
      const alone = entry.source === 'config' && !this.#belongsToService(config, id);
      if (alone && !checks.has(id)) this.#registry.removeCheck(id);
    }
    for (const check of config.checks) this.#loadCheck(check);
  }

  #belongsToService(config: Pick<AgentConfig, 'services'>, checkId: string): boolean {
    const serviceId = this.#registry.state.check(checkId)?.check.ServiceID;
    return serviceId !== '' && config.services.flatMap(idsOf).includes(serviceId ?? '');
  }

  #loadService(definition: ServiceRegistration): void {
    try {
      validateService(definition);
      this.#addService(this.#expand(definition, definition.Token), 'config', {
        replaceChecks: true,
        central: new Map(),
      });
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      const reason = definition.Name === '' ? 'Service name missing' : error.message;
      const text = `Failed to register service ${JSON.stringify(definition.Name)}: ${reason}`;
      throw new LocalError('failed', text, {}, { cause: error });
    }
  }

  #loadCheck(definition: CheckRegistration): void {
    try {
      validateCheck(definition);
      this.#registry.addCheck(standaloneCheck(definition, this.#node, false), definition.Token, 'config');
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      const reason = error.message.replace('Invalid check: ', 'Check is not valid: ');
      throw new LocalError('failed', `Failed to register check '${definition.Name}': ${reason}`, {}, { cause: error });
    }
  }

  async #centralOf({ parent, sidecar }: Expanded): Promise<CentralById> {
    const central = new Map<string, ServiceConfig | undefined>();
    for (const { service, token } of sidecar === undefined ? [parent] : [parent, sidecar]) {
      central.set(service.ID, await this.#central?.resolve(service, token));
    }
    return central;
  }

  /** The sidecar is made out before its parent is registered: what is wrong with it leaves nothing behind. */
  #expand(definition: ServiceRegistration, token: string): Expanded {
    const service = serviceRecord(definition);
    const parent: ServiceToRun = { service, checks: nestedChecks(service, checksOf(definition), this.#node), token };
    const wanted = definition.Connect?.SidecarService ?? null;
    const sidecar =
      wanted === null
        ? undefined
        : expandSidecar(service, wanted, {
            ...{ ports: this.#registry.sidecarPorts(service), node: this.#node, token },
            bindAddress: this.#bindAddress,
          });
    return { parent, sidecar };
  }

  #addService(
    { parent, sidecar }: Expanded,
    source: Provenance,
    { replaceChecks, central }: { readonly replaceChecks: boolean; readonly central: CentralById },
  ): void {
    const { ID: id } = parent.service;
    this.#registry.addService(parent, { source, replaceChecks, central: central.get(id) });
    if (sidecar === undefined) return;
    const ofSidecar = central.get(sidecar.service.ID);
    this.#registry.addService(sidecar, { source, replaceChecks, sidecarOf: id, central: ofSidecar });
  }
}

/** Ids that a definition registers: its own and its sidecar's. */
function idsOf(definition: ServiceRegistration): string[] {
  const id = definition.ID === '' ? definition.Name : definition.ID;
  return definition.Connect?.SidecarService == null ? [id] : [id, `${id}-sidecar-proxy`];
}
