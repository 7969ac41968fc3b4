/**
 * `/v1/txn`: a list of operations, all or none. A list that only looks is a read (stale, consistent, any datacenter), any
 * other goes through the log.
 */
import { isWrite } from '../../../fsm/commands/txn-verbs.ts';
import {
  healthCheck,
  kvEntry,
  node,
  nodeService,
  s,
  type TxnAnswer,
  type TxnError,
  type TxnOperation,
  type TxnResult,
  txnOperation,
} from '../../../structs/index.ts';
import type { Answer as Found } from '../../backend.ts';
import { type Answer, Encoded, json } from '../answer.ts';
import { decodeValue } from '../body.ts';
import { HttpError } from '../errors.ts';
import { type JsonValue, parseJson } from '../go-json.ts';
import { callerOf, readHeaders, readOf } from '../reads.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { tooLarge } from '../too-large.ts';
import type { RouteContext } from './context.ts';

/** Since 1.14; 64 before. */
const operationsMax = 128;

export function txnRoutes(context: RouteContext): Route[] {
  return [{ path: '/v1/txn', methods: ['PUT'], namespaced: true, handle: (request) => run(context, request) }];
}

async function run(context: RouteContext, request: ApiRequest): Promise<Answer> {
  const Ops = await readOperations(context, request);
  const { backend } = context;
  if (Ops.some(isWrite)) {
    const done = await backend.apply('txn', { Ops }, callerOf(request));
    return json(new Encoded(Buffer.from(`{${answerText(done)}}`)), undefined, statusOf(done));
  }
  const { options } = readOf(request, context.defaults);
  const found = await backend.query('txn.read', { Ops }, options);
  const { 'X-Consul-Knownleader': known, 'X-Consul-Lastcontact': contact } = readHeaders(found);
  const headers = { 'X-Consul-Knownleader': known!, 'X-Consul-Lastcontact': contact! };
  return json(
    new Encoded(Buffer.from(`{${answerText(found.value)},${readMembers(found)}}`)),
    headers,
    statusOf(found.value),
  );
}

const statusOf = ({ Errors }: TxnAnswer): number => (Errors === null || Errors.length === 0 ? 200 : 409);

async function readOperations({ limits }: RouteContext, request: ApiRequest): Promise<TxnOperation[]> {
  const bytesMax = Math.max(limits.txnBytesMax, limits.kvValueBytesMax);
  const declared = request.contentLength ?? 0;
  if (declared > bytesMax) throw tooLarge('txn_max_req_len', bytesMax, declared);
  const body = await request.body(bytesMax, () => tooLarge('txn_max_req_len', bytesMax));
  const parsed = parseJson(body.toString('utf8'));
  if (!parsed.ok) throw new HttpError(400, `Failed to parse body: ${parsed.error}`);
  const operations =
    decodeValue(asList(parsed.value), s.list(txnOperation), { prefix: 'Failed to parse body: ' }) ?? [];
  if (operations.length > operationsMax) {
    throw new HttpError(413, `Transaction contains too many operations (${operations.length} > ${operationsMax})`);
  }
  for (const { KV } of operations) {
    const size = KV?.Value?.length ?? 0;
    if (KV === null || size <= limits.kvValueBytesMax) continue;
    const text = `Value for key "${KV.Key}" is too large (${size} > ${limits.kvValueBytesMax} bytes)`;
    throw new HttpError(413, text);
  }
  return operations.filter(({ KV, Node, Service, Check }) => (KV ?? Node ?? Service ?? Check) !== null);
}

function asList(value: JsonValue): JsonValue {
  if (value === null || Array.isArray(value)) return value;
  const kind = typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
  throw new HttpError(400, `Failed to parse body: json: cannot unmarshal ${kind} into Go value of type api.TxnOps`);
}

function answerText({ Results, Errors }: TxnAnswer): string {
  const results = Results === null ? 'null' : `[${Results.map(resultText).join(',')}]`;
  const errors = Errors === null ? 'null' : `[${Errors.map(errorText).join(',')}]`;
  return `"Results":${results},"Errors":${errors}`;
}

/** Lists that were never set show as such here, unlike in reads of the catalog. */
const asStored = {
  Service: s.record('NodeService', { ...nodeService.fields, Tags: s.list(s.string()) } as never) as typeof nodeService,
  Check: s.record('HealthCheck', {
    ...healthCheck.fields,
    ServiceTags: s.list(s.string()),
  } as never) as typeof healthCheck,
};

function resultText(result: TxnResult): string {
  if ('KV' in result) return `{"KV":${kvEntry.text(result.KV)}}`;
  if ('Node' in result) return `{"Node":${node.text(result.Node)}}`;
  if ('Service' in result) return `{"Service":${asStored.Service.text(result.Service)}}`;
  return `{"Check":${asStored.Check.text(result.Check)}}`;
}

const errorText = ({ OpIndex, What }: TxnError): string => `{"OpIndex":${OpIndex},"What":${s.quote(What)}}`;

/** Members that the answer of a read has beside its results. Its index is always 1: a transaction cannot block. */
function readMembers({ lastContactMs, knownLeader }: Found<TxnAnswer>): string {
  const contactNs = Math.round(lastContactMs * 1e6);
  return `"Index":1,"LastContact":${contactNs},"KnownLeader":${knownLeader},"ConsistencyLevel":"","NotModified":false,"Backend":0`;
}
