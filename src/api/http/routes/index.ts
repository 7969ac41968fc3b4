/** The families of routes that ask only the backend, and what they are made with. */
import type { DefaultPolicy } from '../../../mesh/index.ts';
import type { Backend, Snapshots } from '../../backend.ts';
import { AgentCache } from '../agent-cache.ts';
import { EncodeCache } from '../encode-cache.ts';
import { HttpError } from '../errors.ts';
import type { ReadDefaults } from '../read-parameters.ts';
import type { Route } from '../route.ts';
import { aclDisabledRoutes } from './acl-disabled.ts';
import { authorizeRoutes } from './authorize.ts';
import { catalogRoutes } from './catalog.ts';
import { configEntryRoutes } from './config-entries.ts';
import { connectCaRoutes } from './connect-ca.ts';
import { type BodyLimits, bodyLimits, type RouteContext } from './context.ts';
import { coordinateRoutes } from './coordinate.ts';
import { healthRoutes } from './health.ts';
import { intentionRoutes } from './intentions.ts';
import { kvRoutes } from './kv.ts';
import { operatorRoutes } from './operator.ts';
import { rootRoutes } from './root.ts';
import { sessionRoutes } from './session.ts';
import { snapshotRoutes } from './snapshot.ts';
import { statusRoutes } from './status.ts';
import { txnRoutes } from './txn.ts';

export interface RouteSettings {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  readonly defaults?: ReadDefaults;
  readonly limits?: BodyLimits;
  /** `disable_coordinates`. */
  readonly coordinatesDisabled?: boolean;
  /** `connect.enabled`; absent: yes. */
  readonly connectEnabled?: boolean;
  /** What holds where no intention does; absent: ACLs are off, and it allows. */
  readonly defaultPolicy?: DefaultPolicy;
}

export const readDefaults: ReadDefaults = { discoveryMaxStaleMs: 0, useCache: true };

/** Close `cache` with the door: it reads in the background. */
export function backendRoutes(settings: RouteSettings): { readonly routes: Route[]; readonly cache: AgentCache } {
  const context: RouteContext = {
    backend: settings.backend,
    snapshots: settings.snapshots,
    defaults: settings.defaults ?? readDefaults,
    limits: settings.limits ?? bodyLimits,
    coordinatesDisabled: settings.coordinatesDisabled ?? false,
    encodings: new EncodeCache(),
    cache: new AgentCache(),
    mesh: {
      datacenter: settings.backend.datacenter,
      defaultPolicy: settings.defaultPolicy ?? { allow: true, from: 'acl-disabled' },
    },
  };
  const meshFamilies = [authorizeRoutes, connectCaRoutes, intentionRoutes];
  const families = [
    aclDisabledRoutes,
    catalogRoutes,
    coordinateRoutes,
    configEntryRoutes,
    healthRoutes,
    kvRoutes,
    operatorRoutes,
    sessionRoutes,
    snapshotRoutes,
    statusRoutes,
    txnRoutes,
  ];
  const mesh = meshFamilies.flatMap((family) => family(context));
  const routes = [
    ...rootRoutes(),
    ...families.flatMap((family) => family(context)),
    ...(settings.connectEnabled === false ? withoutMesh(mesh) : mesh),
  ];
  return { routes, cache: context.cache };
}

/** What the mesh's endpoints answer on an agent that has none. */
export function withoutMesh(routes: readonly Route[]): Route[] {
  const refuse = (): never => {
    throw new HttpError(500, 'Connect must be enabled in order to use this endpoint');
  };
  return routes.map((route) => ({ ...route, handle: refuse }));
}
