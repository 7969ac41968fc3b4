/**
 * Registers and deregisters services and checks on this agent: keeps the state, starts and stops what runs the checks, and
 * the files that bring API registrations back after a restart. Every method is synchronous and does all or nothing;
 * sending it to the catalog is anti-entropy's work.
 */
import { type HealthCheck, type NodeService, type ServiceConfig, taggedAddressProblem } from '../../structs/index.ts';
import { blankCheck, type CheckToRun, type ServiceToRun } from '../definitions/registration.ts';
import { type SidecarPorts, sidecarIdOf } from '../definitions/sidecar.ts';
import { CheckRunners, type RegistryTuning, type RunnerParts } from './check-runners.ts';
import { isScript } from './checks/make.ts';
import type { Verdict } from './checks/runner.ts';
import { LocalError } from './errors.ts';
import type { Persistence } from './persistence.ts';
import type { LocalState, Provenance } from './state.ts';

export interface RegistryOptions {
  readonly node: string;
  readonly scriptsFromApi: boolean;
  readonly scriptsFromFiles: boolean;
  readonly sidecarPortMin: number;
  readonly sidecarPortMax: number;
  readonly dockerHost: string;
}

export type RegistryParts = RunnerParts;

const nodeMaintenanceId = '_node_maintenance';
const serviceMaintenanceId = (serviceId: string): string => `_service_maintenance:${serviceId}`;

export class Registry {
  readonly #options: RegistryOptions;
  readonly #parts: RegistryParts;
  readonly #runners: CheckRunners;
  readonly tuning: RegistryTuning;

  constructor(options: RegistryOptions, tuning: RegistryTuning, parts: RegistryParts) {
    this.#options = options;
    this.#parts = parts;
    this.tuning = tuning;
    this.#runners = new CheckRunners(options.dockerHost, tuning, parts);
  }

  get state(): LocalState {
    return this.#parts.state;
  }

  /** Ports that a sidecar of this service may take, and the one that it has. */
  sidecarPorts(parent: NodeService): SidecarPorts {
    const others = [...this.state.services().values()].filter((entry) => entry.service.ID !== parent.ID);
    return {
      min: this.#options.sidecarPortMin,
      max: this.#options.sidecarPortMax,
      kept: this.state.service(sidecarIdOf(parent.ID))?.service.Port,
      taken: new Set([parent.Port, ...others.map((entry) => entry.service.Port)]),
    };
  }

  /** Adds or replaces a service with its checks. With `replaceChecks` its other checks go. */
  addService(
    given: ServiceToRun,
    options: {
      readonly source: Provenance;
      readonly replaceChecks: boolean;
      readonly sidecarOf?: string;
      /** Of proxies, where the servers were asked. */
      readonly central?: ServiceConfig | undefined;
    },
  ): void {
    const { service, checks } = given;
    const problem = taggedAddressProblem(service);
    if (problem !== undefined) throw new LocalError('failed', problem);
    for (const check of checks) this.#refuseScript(check, options.source);
    const { source, sidecarOf, central } = options;
    const entry = { service, token: given.token, source, sidecarOf, central };
    if (options.source === 'remote') {
      this.#parts.persistence.putService({
        Token: given.token,
        Service: service,
        Source: 'remote',
        ...(options.sidecarOf === undefined ? {} : { SidecarOf: options.sidecarOf }),
      });
    } else {
      this.#parts.persistence.removeService(service.ID);
    }
    this.state.putService(entry);
    const kept = new Set(checks.map((check) => check.check.CheckID));
    for (const old of options.replaceChecks ? this.state.checksOf(service.ID) : []) {
      if (!kept.has(old.check.CheckID)) this.removeCheck(old.check.CheckID);
    }
    for (const check of checks) this.#putCheck(check, given.token, options.source);
  }

  /** Takes a service, its checks and the sidecar that came with it away; whether it was there. */
  removeService(id: string): boolean {
    if (id === '') throw new LocalError('failed', 'ServiceID missing');
    const entry = this.state.service(id);
    if (entry === undefined) {
      this.#parts.log.warn('Failed to deregister service', { service: id, error: 'Service does not exist' });
      return false;
    }
    for (const check of this.state.checksOf(id)) this.removeCheck(check.check.CheckID);
    this.#parts.persistence.removeService(id);
    this.state.deleteService(id);
    this.#parts.log.debug('removed service', { service: id });
    const sidecar = this.state.service(sidecarIdOf(id));
    if (sidecar !== undefined && sidecar.sidecarOf === id) this.removeService(sidecar.service.ID);
    return true;
  }

  addCheck(given: CheckToRun, token: string, source: Provenance): void {
    const { ServiceID: serviceId } = given.check;
    this.#refuseScript(given, source);
    if (serviceId === '') {
      this.#putCheck(given, token, source);
      return;
    }
    const parent = this.state.service(serviceId);
    if (parent === undefined) throw new LocalError('failed', `ServiceID ${JSON.stringify(serviceId)} does not exist`);
    const { Service, Tags } = parent.service;
    const check = { ...given.check, ServiceName: Service, ServiceTags: Tags };
    this.#putCheck({ ...given, check }, token === '' ? parent.token : token, source);
  }

  removeCheck(id: string): boolean {
    if (id === '') throw new LocalError('failed', 'CheckID missing');
    this.#runners.stop(id);
    this.#parts.persistence.removeCheck(id);
    return this.state.deleteCheck(id);
  }

  /** A report from outside; only for checks with a TTL. */
  updateTtl(id: string, status: Verdict, output: string): void {
    const { output: kept, ttlMs } = this.#runners.updateTtl(id, status, output);
    if (this.state.check(id)?.source !== 'remote') return;
    const expires = Math.floor((this.#parts.clock.wallMs() + ttlMs) / 1000);
    this.#parts.persistence.putState({ CheckID: id, Status: status, Output: kept, Expires: expires });
  }

  setMaintenance(serviceId: string | undefined, reason: string | undefined, token: string): void {
    const id = serviceId === undefined ? nodeMaintenanceId : serviceMaintenanceId(serviceId);
    if (reason === undefined) {
      if (this.state.check(id) !== undefined) this.removeCheck(id);
      return;
    }
    if (this.state.check(id) !== undefined) return;
    const what = serviceId === undefined ? 'node' : 'service';
    const service = serviceId === undefined ? undefined : this.state.service(serviceId)?.service;
    const check: HealthCheck = {
      ...blankCheck(this.#options.node),
      CheckID: id,
      Name: serviceId === undefined ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
      Notes:
        reason === ''
          ? `Maintenance mode is enabled for this ${what}, but no reason was provided. This is a default message.`
          : reason,
      ServiceID: service?.ID ?? '',
      ServiceName: service?.Service ?? '',
      ServiceTags: service?.Tags ?? [],
      Type: 'maintenance',
    };
    this.#parts.persistence.putCheck({ Token: token, Check: check, Spec: null, DeregisterAfter: 0, Source: 'remote' });
    this.state.putCheck({ check, token, source: 'remote', criticalSinceMs: undefined });
  }

  /** Services with a check that was critical for longer than it may be, taken away. Called every 30 s. */
  reapCritical(): string[] {
    const now = this.#parts.clock.monotonicMs();
    const reaped: string[] = [];
    for (const [id, { check, criticalSinceMs }] of this.state.checks()) {
      const limit = this.#runners.deregisterAfterMs(id);
      if (limit === 0 || criticalSinceMs === undefined || check.ServiceID === '') continue;
      if (now - criticalSinceMs < limit || reaped.includes(check.ServiceID)) continue;
      this.#parts.log.info('Check for service has been critical for too long; deregistering service', {
        check: id,
        service: check.ServiceID,
      });
      this.removeService(check.ServiceID);
      reaped.push(check.ServiceID);
    }
    return reaped;
  }

  /** What the data directory holds, except what a file defines by now. */
  restore(): void {
    for (const stored of this.#parts.persistence.services()) {
      const { ID: id } = stored.Service;
      if (this.state.service(id)?.source === 'config') {
        this.#parts.persistence.removeService(id);
        continue;
      }
      this.state.putService({
        service: stored.Service,
        token: stored.Token,
        source: 'remote',
        sidecarOf: stored.SidecarOf,
      });
    }
    for (const stored of this.#parts.persistence.checks()) this.#restoreCheck(stored);
  }

  #restoreCheck(stored: ReturnType<Persistence['checks']>[number]): void {
    const { CheckID: id, ServiceID: serviceId } = stored.Check;
    const orphan = serviceId !== '' && this.state.service(serviceId) === undefined;
    if (orphan || this.state.check(id)?.source === 'config') {
      this.#parts.persistence.removeCheck(id);
      return;
    }
    if (stored.Spec === null) {
      this.state.putCheck({ check: stored.Check, token: stored.Token, source: 'remote', criticalSinceMs: undefined });
      return;
    }
    // What it said before the restart is not known to be so now.
    const check = { ...stored.Check, Status: 'critical', Output: '' };
    const spec = stored.Spec;
    this.#putCheck({ check, spec, deregisterAfterNs: stored.DeregisterAfter }, stored.Token, 'remote');
  }

  /** Stops everything that runs. The state stays. */
  stop(): void {
    this.#runners.stopAll();
  }

  /** Runs the probes of a service's checks now: it was just seen to come up. */
  hurryChecks(serviceId: string): void {
    for (const { check } of this.state.checksOf(serviceId)) this.#runners.hurry(check.CheckID);
  }

  ttlCount(): number {
    return this.#runners.ttlCount;
  }
  monitorCount(): number {
    return this.#runners.monitorCount;
  }

  #refuseScript({ spec }: CheckToRun, source: Provenance): void {
    if (!isScript(spec)) return;
    if (source === 'remote' && !this.#options.scriptsFromApi) {
      throw new LocalError(
        'failed',
        "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
      );
    }
    if (source === 'config' && !this.#options.scriptsFromFiles) {
      throw new LocalError(
        'failed',
        "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true",
      );
    }
  }

  /** Adds or replaces a check; a check of the same id keeps its state. */
  #putCheck(given: CheckToRun, token: string, source: Provenance): void {
    const id = given.check.CheckID;
    if (given.spec.Interval > 0 && given.spec.Interval < 1e9) {
      this.#parts.log.warn('check has interval below minimum', { check: id, minimum_interval: '1s' });
    }
    const before = this.state.check(id);
    const check =
      before === undefined ? given.check : { ...given.check, Status: before.check.Status, Output: before.check.Output };
    if (source === 'remote') {
      this.#parts.persistence.putCheck({
        Token: token,
        Check: check,
        Spec: given.spec,
        DeregisterAfter: given.deregisterAfterNs,
        Source: 'remote',
      });
    } else {
      this.#parts.persistence.removeCheck(id);
    }
    this.#runners.stop(id);
    const now = this.#parts.clock.monotonicMs();
    this.state.putCheck({
      check,
      token,
      source,
      criticalSinceMs: check.Status === 'critical' ? (before?.criticalSinceMs ?? now) : undefined,
    });
    this.#runners.run(id, given);
  }
}
