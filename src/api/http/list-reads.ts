/**
 * Reads that answer a list of records: they differ in what they ask and in the record, and share all else (parameters,
 * filter, distance order, the agent's cache, encoding once, headers).
 */
import type { Awaitable } from '../../std/awaitable.ts';
import type { Schema } from '../../structs/index.ts';
import type { Answer as BackendAnswer, ReadOptions } from '../backend.ts';
import type { Predicate } from '../filter/index.ts';
import { type Answer, type Encoded, json } from './answer.ts';
import { ErrorWithHeaders, HttpError } from './errors.ts';
import { sortByDistance } from './near.ts';
import { failedReadHeaders, type Read, readHeaders, readOf } from './reads.ts';
import type { ApiRequest } from './request.ts';
import type { RouteContext } from './routes/context.ts';
import { filterOf } from './selection.ts';

export interface ListRead<Row> {
  readonly row: Schema<Row>;
  /** 400 when the path's parameter is empty; undefined for routes without one. */
  readonly missing?: string;
  readonly fetch: (request: ApiRequest, options: ReadOptions) => Awaitable<BackendAnswer<readonly Row[]>>;
  /** Name of the node of a row, where `?near=` orders by it. */
  readonly nodeOf?: (row: Row) => string;
  readonly cacheable?: boolean;
  /** Blocking and cached reads are said to come from a stream (health of services). */
  readonly streams?: boolean;
  /** A failed read carries index headers; health look-ups of services carry none. */
  readonly headersOnFailure: boolean;
  /** Looked at after the query ran: what is wrong with it is answered with the read's headers. */
  readonly afterwards?: (request: ApiRequest) => void;
}

export async function answerList<Row>(
  context: RouteContext,
  request: ApiRequest,
  read: ListRead<Row>,
): Promise<Answer> {
  const asked = readOf(request, context.defaults);
  if (read.missing !== undefined && request.rest === '') throw new HttpError(400, read.missing);
  try {
    const keep = filterOf(request, read.row);
    const { answer, headers } = await fetchList(context, request, read, asked);
    const rows = await arrange(context, request, read, answer.value, keep);
    checkAfterwards(request, read, headers);
    return json(encodeList(context, request, read.row, rows), headers);
  } catch (error) {
    if (!read.headersOnFailure || error instanceof ErrorWithHeaders) throw error;
    throw new ErrorWithHeaders(error, failedReadHeaders);
  }
}

interface Fetched<Value> {
  readonly answer: BackendAnswer<Value>;
  readonly headers: Record<string, string>;
}

async function fetchList<Row>(
  context: RouteContext,
  request: ApiRequest,
  read: ListRead<Row>,
  asked: Read,
): Promise<Fetched<readonly Row[]>> {
  const { parameters, options } = asked;
  const cached = parameters.cached && read.cacheable === true;
  const streaming = read.streams === true && request.query.get('near') === '' && (parameters.minIndex > 0 || cached);
  const backing = streaming ? 'streaming' : 'blocking-query';
  if (!cached) {
    const answer = await read.fetch(request, options);
    return { answer, headers: readHeaders(answer, parameters.consistency, backing) };
  }
  return fetchCached(context, request, asked, backing, (cacheOptions) => read.fetch(request, cacheOptions));
}

/** Through the agent's cache. `fetch` may be called again long after the request ended: it must keep nothing of it. */
export async function fetchCached<Value>(
  { cache }: RouteContext,
  request: ApiRequest,
  { parameters, options }: Read,
  backing: 'blocking-query' | 'streaming',
  fetch: (options: ReadOptions) => Awaitable<BackendAnswer<Value>>,
): Promise<Fetched<Value>> {
  const { caller } = options;
  const { answer, hit, ageSeconds } = await cache.get<Value>(
    questionOf(request, caller.token),
    (minIndex, signal, contact) => fetch({ caller, consistency: 'default', minIndex, signal, contact }),
    { minIndex: parameters.minIndex, waitMs: parameters.waitMs || 300_000, signal: options.signal },
  );
  const headers = readHeaders(answer, parameters.consistency, backing);
  headers['X-Cache'] = hit ? 'HIT' : 'MISS';
  if (hit) headers.Age = String(ageSeconds);
  return { answer, headers };
}

/** All that an answer depends on; what only says how and when to answer is left out. */
function questionOf({ path, query }: ApiRequest, token: string): string {
  const parts = ['dc', 'tag', 'node-meta', 'passing'].map((name) => `${name}=${query.all(name).join('\u0000')}`);
  return [token, path, ...parts].join('\u0001');
}

async function arrange<Row>(
  context: RouteContext,
  request: ApiRequest,
  { nodeOf }: ListRead<Row>,
  rows: readonly Row[],
  keep: Predicate<Row> | undefined,
): Promise<readonly Row[]> {
  const kept = keep === undefined ? rows : rows.filter(keep);
  const near = request.query.get('near');
  if (near === '' || nodeOf === undefined) return kept;
  return sortByDistance(context, request, near, kept, nodeOf);
}

function checkAfterwards<Row>(request: ApiRequest, read: ListRead<Row>, headers: Record<string, string>): void {
  try {
    read.afterwards?.(request);
  } catch (error) {
    throw new ErrorWithHeaders(error, headers);
  }
}

function encodeList<Row>(
  { encodings }: RouteContext,
  request: ApiRequest,
  row: Schema<Row>,
  rows: readonly Row[],
): Encoded {
  const { query } = request;
  const question = (): string => `${questionOf(request, '')}\u0001${query.get('filter')}\u0001${query.get('near')}`;
  return encodings.list(rows, question, () => {
    let text = '[';
    for (let i = 0; i < rows.length; i++) text += (i === 0 ? '' : ',') + row.text(rows[i]!);
    return `${text}]`;
  });
}
