/**
 * What the arguments of each command look like, for those that may come from another process. A command that throws while it
 * is applied stops every server, now and at every start: so nothing goes into the log whose arguments are not of the type
 * that the command was written for. Commands marked `internal` come from the leader itself and are not listed.
 */
import {
  autopilotConfiguration,
  configEntrySchema,
  intention,
  intentionPermission,
  nonconformity,
  registerRequest,
  type Schema,
  s,
  session,
  txnOperation,
} from '../../structs/index.ts';
import { Refusal } from '../errors.ts';

const { bytes, index, list, map, record, string, uint64 } = s;

interface Shape {
  readonly required: Schema<never>;
  /** Members that may be missing. */
  readonly optional?: Readonly<Record<string, Schema<never>>>;
}

function shape(fields: Parameters<typeof record>[1], optional?: Readonly<Record<string, unknown>>): Shape {
  const required = record('Arguments', fields) as unknown as Schema<never>;
  return optional === undefined ? { required } : { required, optional: optional as Shape['optional'] };
}
const whole = (schema: unknown): Shape => ({ required: schema as Schema<never> });

const content = { Key: string(), Value: bytes(), Flags: uint64() };
const cas = { Cas: index() };
/** A record's schema without the members that the store fills in. */
function withoutIndexes(schema: { readonly fields?: Readonly<Record<string, unknown>> }): Schema<never> {
  const fields = Object.entries(schema.fields ?? {}).filter(
    ([name]) => name !== 'CreateIndex' && name !== 'ModifyIndex',
  );
  return record('Arguments', Object.fromEntries(fields) as never) as unknown as Schema<never>;
}

const shapes: Readonly<Record<string, Shape>> = {
  'autopilot.setConfiguration': shape({ Config: withoutIndexes(autopilotConfiguration) }, cas),
  'catalog.deregister': shape({ Datacenter: string(), Node: string(), ServiceID: string(), CheckID: string() }),
  'catalog.register': whole(registerRequest),
  'configEntry.delete': shape({ Kind: string(), Name: string() }, cas),
  'configEntry.set': shape({}, cas),
  'intention.create': shape({ Intention: intention }, { ID: string(), Time: string() }),
  'intention.delete': shape({ ID: string() }),
  'intention.deleteExact': shape({ Source: string(), Destination: string() }),
  'intention.update': shape({ ID: string(), Intention: intention }, { Time: string() }),
  'intention.upsert': shape({
    ...{ Source: string(), Destination: string(), Action: string(), Permissions: list(intentionPermission) },
    ...{ Description: string(), Type: string(), Meta: map(string()) },
  }),
  'kv.acquire': shape({ ...content, Session: string() }),
  'kv.cas': shape({ ...content, Index: index() }),
  'kv.delete': shape({ Key: string() }),
  'kv.deleteCas': shape({ Key: string(), Index: index() }),
  'kv.deleteTree': shape({ Prefix: string() }),
  'kv.release': shape({ ...content, Session: string() }),
  'kv.set': shape(content),
  'session.create': whole(withoutIndexes(session)),
  'session.destroy': shape({ ID: string() }),
  txn: shape({ Ops: { ...list(txnOperation), zero: () => [] } }),
};

/** Throws a Refusal `invalid` that says what is wrong with the arguments. */
export function checkArguments(name: string, args: unknown): void {
  const expected = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (expected === undefined) throw new Refusal('denied', `${name} is for the leader's own duties`);
  const problem = nonconformity(expected.required, args) ?? optionalProblem(expected, args) ?? entryProblem(name, args);
  if (problem !== undefined) throw new Refusal('invalid', `malformed arguments of ${name}: ${problem}`);
}

function optionalProblem({ optional }: Shape, args: unknown): string | undefined {
  for (const [name, schema] of Object.entries(optional ?? {})) {
    const value = (args as Readonly<Record<string, unknown>>)[name];
    const problem = value === undefined ? undefined : nonconformity(schema, value, name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A config entry's schema is that of its kind. */
function entryProblem(name: string, args: unknown): string | undefined {
  if (name !== 'configEntry.set') return undefined;
  const entry = (args as { readonly Entry?: { readonly Kind?: unknown } | null }).Entry;
  const schema = configEntrySchema(String(entry?.Kind));
  return schema === undefined ? 'Entry is of no known kind' : nonconformity(schema as Schema<never>, entry, 'Entry');
}

/** Names of the commands that another process may ask for. */
export const externalCommands: readonly string[] = Object.keys(shapes);
