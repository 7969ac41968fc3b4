/** A door with all backend routes over a store in memory. */
import type { Backend, Snapshots } from '../../src/api/backend.ts';
import { type BodyLimits, backendRoutes, type ReadDefaults } from '../../src/api/http/index.ts';
import { noSnapshots, TestBackend } from './backend.ts';
import { type Exchange, openDoor, type TestDoor } from './door.ts';

export interface TestApi extends TestDoor {
  readonly backend: TestBackend;
  get(path: string, headers?: Record<string, string>): Promise<Exchange>;
  /** A body that is no string is sent as JSON. */
  put(path: string, body?: unknown): Promise<Exchange>;
  delete(path: string): Promise<Exchange>;
}

export interface ApiSettings {
  readonly defaults?: ReadDefaults;
  readonly limits?: BodyLimits;
  readonly snapshots?: Snapshots;
  readonly coordinatesDisabled?: boolean;
}

export async function openApi(settings: ApiSettings = {}): Promise<TestApi> {
  const backend = new TestBackend();
  const { routes, cache } = backendRoutes({ backend: backend as Backend, snapshots: noSnapshots, ...settings });
  const door = await openDoor(routes);
  return {
    ...door,
    backend,
    get: (path, headers = {}) => door.call('GET', path, { headers }),
    put: (path, body) =>
      door.call(
        'PUT',
        path,
        body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) },
      ),
    delete: (path) => door.call('DELETE', path),
    async close() {
      cache.close();
      await door.close();
      backend.store.close();
    },
  };
}
