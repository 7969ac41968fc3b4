/** The list of endpoints in the documentation is printed from the routes; `vitest -u` writes it anew. */
import { expect, it } from 'vitest';
import type { Events } from '../../../src/api/events.ts';
import {
  agentRoutes,
  backendRoutes,
  eventRoutes,
  leafRoutes,
  type Route,
  readDefaults,
} from '../../../src/api/http/index.ts';
import { noSnapshots, TestBackend } from '../../support/backend.ts';

it('docs/endpoints.md lists what there is', async () => {
  const { routes, cache } = backendRoutes({ backend: new TestBackend(), snapshots: noSnapshots });
  cache.close();
  // Routes are made, not asked: what stands behind them is not touched.
  const nobody = {} as never;
  const all = [
    ...routes,
    ...agentRoutes(nobody),
    ...leafRoutes(nobody, readDefaults),
    ...eventRoutes({ events: nobody as Events, defaults: readDefaults }),
  ];
  const rows = all
    .filter(({ bare }) => bare !== true)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((route) => `- \`${shown(route)}\` ${route.methods.join(', ')}`);
  const text = [
    '# HTTP endpoints',
    '',
    'Consul 1.10 paths, with what later versions added to them. `…` is whatever follows: a name, an id, a key.',
    '',
    ...rows,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../../docs/endpoints.md');
});

const shown = ({ path }: Route): string => (path.endsWith('/') ? `${path}…` : path);
