/** `/v1/status`: who leads and who votes, from the point of view of the server asked. */
import { json } from '../answer.ts';
import { readParameters } from '../read-parameters.ts';
import { callerOf } from '../reads.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

export function statusRoutes({ backend, defaults }: RouteContext): Route[] {
  return [
    {
      path: '/v1/status/leader',
      methods: ['GET'],
      async handle(request) {
        readParameters(request, defaults);
        return json(await backend.call('status.leader', {}, callerOf(request)));
      },
    },
    {
      path: '/v1/status/peers',
      methods: ['GET'],
      async handle(request) {
        readParameters(request, defaults);
        return json(await backend.call('status.peers', {}, callerOf(request)));
      },
    },
  ];
}
