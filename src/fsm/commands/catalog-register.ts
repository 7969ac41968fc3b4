/** Registers a node, and with it a service and checks, in one step: all of it or nothing. A registration equal to what is
 * stored moves no index. Who may take which node's name: catalog-nodes.ts. */
import {
  type HealthCheck,
  isAnyAddress,
  kindProblems,
  type NodeService,
  problemList,
  type RegisterRequest,
  weightsProblem,
} from '../../structs/index.ts';
import { command, type WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { putCheck } from './catalog-checks.ts';
import { type NodeContent, putNode } from './catalog-nodes.ts';
import { putService } from './catalog-services.ts';
import { equalBut } from './equal.ts';
import { uuidProblem } from './uuid.ts';

export const catalogRegister = command<RegisterRequest, boolean>({
  name: 'catalog.register',
  version: 1,
  prepare(args, leader) {
    if (args.Node === '') throw new Refusal('failed', 'Must provide node');
    const idProblem = args.ID === '' ? undefined : uuidProblem(args.ID);
    if (idProblem !== undefined) throw new Refusal('failed', `Bad node ID: ${idProblem}`);
    if (args.Address === '' && !args.SkipNodeUpdate) {
      throw new Refusal('failed', 'Must provide address if SkipNodeUpdate is not set');
    }
    return {
      ...args,
      Datacenter: args.Datacenter === '' ? leader.datacenter : args.Datacenter,
      Service: args.Service === null ? null : prepareService(args.Service),
      Check: null,
      Checks: [...(args.Checks ?? []), ...(args.Check === null ? [] : [args.Check])].map((check) =>
        prepareCheck(check, args.Node),
      ),
    };
  },
  apply(tx, args) {
    registerNode(tx, args);
    const { Service: service } = args;
    if (service !== null) within('failed inserting service: ', '', () => putService(tx, args.Node, service));
    for (const check of args.Checks ?? []) {
      if (check.Node.toLowerCase() !== args.Node.toLowerCase()) {
        throw new Refusal('failed', `check node "${check.Node}" does not match node "${args.Node}"`);
      }
      within('failed inserting check: ', ` on node "${check.Node}"`, () => putCheck(tx, check));
    }
    return true;
  },
});

function registerNode(tx: WriteTx, args: RegisterRequest): void {
  const before = tx.table('nodes').get([args.Node]);
  if (before !== undefined && args.SkipNodeUpdate) return;
  const content: NodeContent = {
    ID: args.ID,
    Node: args.Node,
    Address: args.Address,
    Datacenter: args.Datacenter,
    TaggedAddresses: args.TaggedAddresses,
    Meta: args.NodeMeta,
  };
  if (before !== undefined && equalBut(before, content, 'CreateIndex', 'ModifyIndex')) return;
  within('failed inserting node: ', '', () => putNode(tx, content));
}

/** Puts the failing part's name around a refusal's text. */
function within<T>(prefix: string, suffix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, `${prefix}${error.message}${suffix}`, error.fields, { cause: error });
  }
}

/** Defaults and rules of an instance, wherever it comes from. Throws a Refusal. */
export function prepareService(given: NodeService): NodeService {
  const problems = kindProblems(given);
  if (problems.length > 0) throw new Refusal('failed', problemList(problems));
  if (given.ID !== '' && given.Service === '') throw new Refusal('failed', 'Must provide service name with ID');
  if (isAnyAddress(given.Address)) throw new Refusal('failed', 'Invalid service address');
  return {
    ...given,
    ID: given.ID === '' ? given.Service : given.ID,
    Weights: weightsProblem(given.Weights) === undefined ? given.Weights : { Passing: 1, Warning: 1 },
  };
}

/** Defaults of a check: its node, its id from its name, critical until it says otherwise, its type from what it does. */
export function prepareCheck(given: HealthCheck, node: string): HealthCheck {
  return {
    ...given,
    Node: given.Node === '' ? node : given.Node,
    CheckID: given.CheckID === '' ? given.Name : given.CheckID,
    Status: given.Status === '' ? 'critical' : given.Status,
    Type: given.Type === '' ? typeOf(given) : given.Type,
  };
}

/** The first that matches, in the reference's order; a check without a schedule does nothing and has no type. */
function typeOf({ Definition: d }: HealthCheck): string {
  const runs = d.Interval > 0;
  if (runs && d.GRPC !== '') return 'grpc';
  if (runs && d.HTTP !== '') return 'http';
  if (d.TTL > 0) return 'ttl';
  if (runs && d.TCP !== '') return 'tcp';
  if (d.AliasNode !== '' || d.AliasService !== '') return 'alias';
  const hasScript = (d.ScriptArgs ?? []).length > 0;
  if (runs && d.DockerContainerID !== '' && hasScript) return 'docker';
  if (runs && hasScript) return 'script';
  if (runs && d.H2PING !== '') return 'h2ping';
  return '';
}
