/** `/`: says that an agent lives here. With the web console it becomes a redirect to it. */
import type { Answer } from '../answer.ts';
import { text } from '../answer.ts';
import type { Route } from '../route.ts';

export function rootRoutes(): Route[] {
  return [{ path: '/', methods: [], bare: true, handle: (): Answer => text(200, 'Consul Agent') }];
}
