/**
 * `/v1/event`: fires user events and lists those that this agent saw. A list's index is made of the last event's id, so a
 * reader blocks while it *equals* the one given, and a greater one means nothing.
 */
import { s } from '../../../structs/index.ts';
import type { Events, UserEvent } from '../../events.ts';
import { compileRegexp } from '../../filter/index.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { HttpError } from '../errors.ts';
import { type ReadDefaults, readParameters } from '../read-parameters.ts';
import { callerOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';

export interface EventSettings {
  readonly events: Events;
  readonly defaults: ReadDefaults;
}

export function eventRoutes(settings: EventSettings): Route[] {
  return [
    { path: '/v1/event/fire/', methods: ['PUT'], handle: (request) => fire(settings, request) },
    { path: '/v1/event/list', methods: ['GET'], handle: (request) => list(settings, request) },
  ];
}

const record = s.record('UserEvent', {
  ID: s.string(),
  Name: s.string(),
  Payload: s.bytes(),
  NodeFilter: s.string(),
  ServiceFilter: s.string(),
  TagFilter: s.string(),
  Version: s.int(),
  LTime: s.int(),
});
const records = s.list(record, '[]');

const waitDefaultMs = 600_000;

async function fire({ events }: EventSettings, request: ApiRequest): Promise<Answer> {
  const { query, rest: Name } = request;
  if (Name === '') throw new HttpError(400, 'Missing name');
  const filters = { NodeFilter: query.get('node'), ServiceFilter: query.get('service'), TagFilter: query.get('tag') };
  refuseFilters(filters);
  const body = (request.contentLength ?? 0) > 0 ? await request.body() : undefined;
  const Payload = body === undefined ? null : new Uint8Array(body);
  const fired = await events.fire({ Name, Payload, ...filters }, callerOf(request));
  return json(new Encoded(Buffer.from(record.text(fired))));
}

function refuseFilters(filters: Pick<UserEvent, 'NodeFilter' | 'ServiceFilter' | 'TagFilter'>): void {
  if (filters.TagFilter !== '' && filters.ServiceFilter === '') {
    throw new HttpError(500, 'Cannot provide tag filter without service filter');
  }
  for (const [what, pattern] of [
    ['node', filters.NodeFilter],
    ['service', filters.ServiceFilter],
    ['tag', filters.TagFilter],
  ] as const) {
    const compiled = compileRegexp(pattern);
    if (!compiled.ok) throw new HttpError(500, `Invalid ${what} filter: ${compiled.error}`);
  }
}

async function list({ events, defaults }: EventSettings, request: ApiRequest): Promise<Answer> {
  const { waitMs } = readParameters(request, defaults);
  const name = request.query.get('name');
  const select = (): readonly UserEvent[] => events.list().filter((event) => name === '' || event.Name === name);
  const asked = BigInt(request.query.get('index') || '0');
  let shown = select();
  if (asked !== 0n && indexOf(shown) === asked) {
    const limitMs = Math.min(waitMs > 0 ? waitMs : waitDefaultMs, waitDefaultMs);
    const isNew = (): boolean => {
      shown = select();
      return indexOf(shown) !== asked;
    };
    await changed(events, isNew, limitMs, request.signal);
  }
  return json(new Encoded(Buffer.from(records.text(shown))), { 'X-Consul-Index': String(indexOf(shown)) });
}

/** The two halves of the last event's id, one over the other; 1 when there is none. */
function indexOf(shown: readonly UserEvent[]): bigint {
  const last = shown.at(-1);
  if (last === undefined) return 1n;
  const hex = last.ID.replaceAll('-', '');
  return BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`);
}

/** Resolves when `done` holds after an event, when the time is up, or when the caller is gone. */
function changed(events: Events, done: () => boolean, limitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, limitMs);
    const stop = events.watch(() => {
      if (done()) finish();
    });
    signal.addEventListener('abort', finish);
  });
}
