/** Bodies of the catalog's write endpoints. */
import { healthCheck, node, nodeService } from './catalog.ts';
import { bool, field, type Infer, list, map, nullable, record, string } from './schema/index.ts';

export const registerRequest = record('RegisterRequest', {
  Datacenter: string(),
  ID: string(),
  Node: string(),
  Address: string(),
  TaggedAddresses: map(string()),
  NodeMeta: map(string()),
  Service: nullable(nodeService),
  Check: nullable(healthCheck),
  Checks: list(healthCheck),
  /** Keeps a node that is there as it is; one that is not is made. */
  SkipNodeUpdate: bool(),
});
export type RegisterRequest = Infer<typeof registerRequest>;

export const deregisterRequest = record('DeregisterRequest', {
  Datacenter: string(),
  Node: string(),
  /** Accepted and ignored. */
  Address: field(string(), { inputOnly: true }),
  ServiceID: string(),
  CheckID: string(),
});
export type DeregisterRequest = Omit<Infer<typeof deregisterRequest>, 'Address'>;

/** An operation of a transaction on a node, an instance or a check: the verb, and the record it is about. */
export const nodeOperation = record('TxnNodeOp', { Verb: string(), Node: node });
export const serviceOperation = record('TxnServiceOp', { Verb: string(), Node: string(), Service: nodeService });
export const checkOperation = record('TxnCheckOp', { Verb: string(), Check: healthCheck });
export type NodeOperation = Infer<typeof nodeOperation>;
export type ServiceOperation = Infer<typeof serviceOperation>;
export type CheckOperation = Infer<typeof checkOperation>;
