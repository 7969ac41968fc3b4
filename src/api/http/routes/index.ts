/** The families of routes that ask only the backend, and what they are made with. */
import type { Backend, Snapshots } from '../../backend.ts';
import { AgentCache } from '../agent-cache.ts';
import { EncodeCache } from '../encode-cache.ts';
import type { ReadDefaults } from '../read-parameters.ts';
import type { Route } from '../route.ts';
import { catalogRoutes } from './catalog.ts';
import { type BodyLimits, bodyLimits, type RouteContext } from './context.ts';
import { coordinateRoutes } from './coordinate.ts';
import { healthRoutes } from './health.ts';
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
  };
  const families = [
    catalogRoutes,
    coordinateRoutes,
    healthRoutes,
    kvRoutes,
    operatorRoutes,
    sessionRoutes,
    snapshotRoutes,
    statusRoutes,
    txnRoutes,
  ];
  return { routes: [...rootRoutes(), ...families.flatMap((family) => family(context))], cache: context.cache };
}
