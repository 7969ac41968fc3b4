/** Every query by name. Add yours here. */
import { autopilotConfiguration } from './autopilot.ts';
import { caConfiguration, caRoots } from './ca.ts';
import { catalogConnect, catalogNode, catalogNodes, catalogService, catalogServices } from './catalog.ts';
import { configEntryGet, configEntryList } from './config-entry.ts';
import { coordinateNode, coordinateNodes } from './coordinate.ts';
import { healthChecks, healthConnect, healthNode, healthService, healthState } from './health.ts';
import { intentionExact, intentionGet, intentionGround, intentionList, intentionMatch } from './intention.ts';
import { internalNode, internalNodes, internalServices } from './internal.ts';
import { kvGet, kvKeys, kvList } from './kv.ts';
import { configEntryResolve } from './service-config.ts';
import { sessionInfo, sessionList, sessionNode } from './session.ts';
import { txnRead } from './txn.ts';

export const queries = {
  'autopilot.configuration': autopilotConfiguration,
  'ca.configuration': caConfiguration,
  'ca.roots': caRoots,
  'catalog.connect': catalogConnect,
  'catalog.node': catalogNode,
  'catalog.nodes': catalogNodes,
  'catalog.service': catalogService,
  'catalog.services': catalogServices,
  'configEntry.get': configEntryGet,
  'configEntry.list': configEntryList,
  'configEntry.resolve': configEntryResolve,
  'coordinate.node': coordinateNode,
  'coordinate.nodes': coordinateNodes,
  'health.checks': healthChecks,
  'health.connect': healthConnect,
  'health.node': healthNode,
  'health.service': healthService,
  'health.state': healthState,
  'intention.exact': intentionExact,
  'intention.get': intentionGet,
  'intention.ground': intentionGround,
  'intention.list': intentionList,
  'intention.match': intentionMatch,
  'internal.node': internalNode,
  'internal.nodes': internalNodes,
  'internal.services': internalServices,
  'kv.get': kvGet,
  'kv.keys': kvKeys,
  'kv.list': kvList,
  'session.info': sessionInfo,
  'session.list': sessionList,
  'session.node': sessionNode,
  'txn.read': txnRead,
} as const;

export type Queries = typeof queries;
export type QueryName = keyof Queries;
export type QueryArgs<N extends QueryName> = Parameters<Queries[N]['run']>[1];
export type QueryValue<N extends QueryName> = ReturnType<Queries[N]['run']>['value'];
