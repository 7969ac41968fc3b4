/** What operations of a transaction have in common whether they go through the log or are only read. */
import type { KvOperation, TxnOperation, TxnResult } from '../../structs/index.ts';
import type { ReadTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { prepareCheck, prepareService } from './catalog-register.ts';
import { uuidProblem } from './uuid.ts';

const kvReadVerbs = ['get', 'get-tree', 'check-index', 'check-session', 'check-not-exists'];

/** What is wrong with an operation whatever the state; undefined when nothing is. */
export function findProblem({ KV, Node, Service }: TxnOperation): string | undefined {
  if (KV !== null) return KV.Key === '' && KV.Verb !== 'delete-tree' ? 'Must provide key' : undefined;
  if (Node !== null) {
    const byId = Node.Verb === 'get' && Node.Node.ID !== '';
    if (Node.Node.Node === '' && !byId) return 'Must provide node';
    const problem = Node.Node.ID === '' ? undefined : uuidProblem(Node.Node.ID);
    return problem === undefined ? undefined : `Bad node ID: ${problem}`;
  }
  if (Service !== null && Service.Verb !== 'get') {
    try {
      prepareService(Service.Service);
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }
  return undefined;
}

/** Fills in the defaults of the records that an operation carries. It has no problem (findProblem). */
export function prepareOperation(operation: TxnOperation, datacenter: string): TxnOperation {
  const { Node, Service, Check } = operation;
  if (Node !== null && Node.Node.Datacenter === '') {
    return { ...operation, Node: { ...Node, Node: { ...Node.Node, Datacenter: datacenter } } };
  }
  if (Service !== null && Service.Verb !== 'get') {
    return { ...operation, Service: { ...Service, Service: prepareService(Service.Service) } };
  }
  if (Check !== null) {
    const { Type: _, ...check } = prepareCheck(Check.Check, Check.Check.Node);
    return { ...operation, Check: { ...Check, Check: { ...check, Type: Check.Check.Type } } };
  }
  return operation;
}

/** The verbs that only look: `get`, `get-tree` and the checks. Throws a Refusal where they fail. */
export function readKvOperation(tx: ReadTx, operation: KvOperation): readonly TxnResult[] {
  const { Verb, Key } = operation;
  if (!kvReadVerbs.includes(Verb)) throw new Refusal('invalid', `unknown KV verb "${Verb}"`);
  if (Verb === 'get-tree') return [...tx.table('kv').startingWith(Key)].map((KV) => ({ KV }));
  const entry = tx.table('kv').get([Key]);
  if (Verb === 'check-not-exists') {
    if (entry !== undefined) throw new Refusal('conflict', `key "${Key}" exists`);
    return [];
  }
  if (entry === undefined) throw new Refusal('notFound', absentText(operation));
  switch (Verb) {
    case 'check-index':
      if (entry.ModifyIndex !== operation.Index) {
        const text = `current modify index ${entry.ModifyIndex} != ${operation.Index}`;
        throw new Refusal('conflict', `failed index check for key "${Key}", ${text}`);
      }
      return [{ KV: { ...entry, Value: null } }];
    case 'check-session':
      if (entry.Session !== operation.Session) {
        const text = `current session "${entry.Session}" != "${operation.Session}"`;
        throw new Refusal('conflict', `failed session check for key "${Key}", ${text}`);
      }
      return [{ KV: { ...entry, Value: null } }];
    default:
      return [{ KV: entry }];
  }
}

function absentText({ Verb, Key }: KvOperation): string {
  if (Verb === 'check-index') return `failed to check index, key "${Key}" doesn't exist`;
  if (Verb === 'check-session') return `failed to check session, key "${Key}" doesn't exist`;
  return `key "${Key}" doesn't exist`;
}

/** `get` of the catalog families. Throws a Refusal where there is nothing. */
export function readCatalogOperation(tx: ReadTx, { Node, Service, Check }: TxnOperation): readonly TxnResult[] {
  if (Node !== null) {
    const { ID, Node: name } = Node.Node;
    const found = ID === '' ? tx.table('nodes').get([name]) : first(tx.table('nodes').by('id', [ID]));
    if (found === undefined) throw new Refusal('notFound', `node "${name}" doesn't exist`);
    return [{ Node: found }];
  }
  if (Service !== null) {
    const found = tx.table('services').get([Service.Node, Service.Service.ID]);
    if (found === undefined) {
      throw new Refusal('notFound', `service "${Service.Service.ID}" on node "${Service.Node}" doesn't exist`);
    }
    const { Node: _, ...service } = found;
    return [{ Service: service }];
  }
  if (Check !== null) {
    const { Node: node, CheckID } = Check.Check;
    const found = tx.table('checks').get([node, CheckID]);
    if (found === undefined) throw new Refusal('notFound', `check "${CheckID}" on node "${node}" doesn't exist`);
    return [{ Check: found }];
  }
  return [];
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
