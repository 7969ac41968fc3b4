/** `/v1/snapshot`: the whole state as an archive, out and in. Neither way is it ever whole in memory here. */
import { HeddleError } from '../../../std/errors.ts';
import type { Answer, BodySink } from '../answer.ts';
import { nothing } from '../answer.ts';
import { callerOf, readHeaders, readOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import type { RouteContext } from './context.ts';

export function snapshotRoutes(context: RouteContext): Route[] {
  return [
    {
      path: '/v1/snapshot',
      methods: ['GET', 'PUT'],
      handle: (request) => (request.method === 'GET' ? save(context, request) : restore(context, request)),
    },
  ];
}

async function save({ snapshots, defaults }: RouteContext, request: ApiRequest): Promise<Answer> {
  const { options } = readOf(request, defaults);
  const saved = await snapshots.save({ caller: options.caller, consistency: options.consistency });
  const stream = async (sink: BodySink): Promise<void> => {
    for await (const chunk of saved.archive) await sink.write(chunk);
  };
  return { status: 200, contentType: 'application/x-gzip', body: { stream }, headers: readHeaders(saved) };
}

async function restore({ snapshots }: RouteContext, request: ApiRequest): Promise<Answer> {
  if (request.query.has('stale')) throw new HeddleError('invalid', 'stale not allowed for restore');
  await snapshots.restore(request.stream as AsyncIterable<Uint8Array>, callerOf(request));
  return nothing();
}
