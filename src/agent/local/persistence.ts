/**
 * Registrations made by the API, kept in the data directory so that they survive a restart. One file each, named by the
 * SHA-256 of its id, written beside and renamed, readable by the owner alone (it holds a token).
 *
 *     services/<hash>      {Token, Service, Source, SidecarOf?}
 *     services/configs/<hash>  {ServiceID, Request, Defaults}: the last central configuration of a proxy
 *     checks/<hash>        {Check, Spec, Token, Source, DeregisterAfter}
 *     checks/state/<hash>  {CheckID, Status, Output, Expires}
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HealthCheck, NodeService, ServiceConfig, ServiceConfigRequest } from '../../structs/index.ts';
import type { CheckSpec } from './checks/make.ts';
import { LocalError } from './errors.ts';

export interface StoredService {
  readonly Token: string;
  readonly Service: NodeService;
  readonly Source: 'remote';
  /** Id of the service that it is the sidecar of. */
  readonly SidecarOf?: string;
}
export interface StoredCheck {
  readonly Token: string;
  readonly Check: HealthCheck;
  /** Null for maintenance checks, which nothing runs. */
  readonly Spec: CheckSpec | null;
  readonly DeregisterAfter: number;
  readonly Source: 'remote';
}
export interface StoredState {
  readonly CheckID: string;
  readonly Status: 'passing' | 'warning' | 'critical';
  readonly Output: string;
  /** Unix seconds. */
  readonly Expires: number;
}

export interface StoredCentral {
  readonly ServiceID: string;
  /** What was asked: another question has another answer. */
  readonly Request: ServiceConfigRequest;
  readonly Defaults: ServiceConfig;
}

type Folder = 'services' | 'centrals' | 'checks' | 'states';

export class Persistence {
  readonly #folders: Readonly<Record<Folder, string>>;
  readonly #warn: (message: string, fields: Record<string, unknown>) => void;

  /** Makes the folders. Throws what the file system says. */
  constructor(dataDir: string, warn: (message: string, fields: Record<string, unknown>) => void) {
    this.#folders = {
      services: join(dataDir, 'services'),
      centrals: join(dataDir, 'services', 'configs'),
      checks: join(dataDir, 'checks'),
      states: join(dataDir, 'checks', 'state'),
    };
    this.#warn = warn;
    for (const folder of Object.values(this.#folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  services(): StoredService[] {
    return this.#readAll<StoredService>('services').filter((stored) => typeof stored.Service?.ID === 'string');
  }
  checks(): StoredCheck[] {
    return this.#readAll<StoredCheck>('checks').filter((stored) => typeof stored.Check?.CheckID === 'string');
  }
  centrals(): StoredCentral[] {
    return this.#readAll<StoredCentral>('centrals').filter((stored) => typeof stored.ServiceID === 'string');
  }
  putService(stored: StoredService): void {
    this.#write('services', stored.Service.ID, stored);
  }
  putCheck(stored: StoredCheck): void {
    this.#write('checks', stored.Check.CheckID, stored);
  }
  putState(stored: StoredState): void {
    this.#write('states', stored.CheckID, stored);
  }
  putCentral(stored: StoredCentral): void {
    this.#write('centrals', stored.ServiceID, stored);
  }
  removeCentral(id: string): void {
    rmSync(this.#path('centrals', id), { force: true });
  }
  removeService(id: string): void {
    rmSync(this.#path('services', id), { force: true });
  }
  removeCheck(id: string): void {
    rmSync(this.#path('checks', id), { force: true });
    rmSync(this.#path('states', id), { force: true });
  }
  state(id: string): StoredState | undefined {
    return this.#read<StoredState>(this.#path('states', id));
  }

  #path(kind: Folder, id: string): string {
    return join(this.#folders[kind], createHash('sha256').update(id).digest('hex'));
  }

  #write(kind: Folder, id: string, value: object): void {
    const path = this.#path(kind, id);
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(value), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      throw new LocalError(
        'failed',
        `failed to persist ${JSON.stringify(id)}: ${(error as Error).message}`,
        {},
        { cause: error },
      );
    }
  }

  #readAll<T>(kind: 'services' | 'centrals' | 'checks'): T[] {
    return readdirSync(this.#folders[kind], { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .flatMap((entry) => {
        const path = join(this.#folders[kind], entry.name);
        if (entry.name.endsWith('.tmp')) {
          rmSync(path, { force: true });
          return [];
        }
        const value = this.#read<T>(path);
        return value === undefined ? [] : [value];
      });
  }

  /** A file that cannot be read is told and left alone: it may be the only trace of a registration. */
  #read<T>(path: string): T | undefined {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#warn('Failed reading a stored registration', { path, error });
      return undefined;
    }
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value as T;
    } catch {
      // Told below.
    }
    this.#warn('Ignoring a stored registration that cannot be read', { path });
    return undefined;
  }
}
