/** A server of the cluster: what the agent composes, and what doors hold as their backend. */
export type { CallHandler, CallHandlers } from './calls.ts';
export type { MemberSource } from './duties/catalog-duty.ts';
export type { DutyServer } from './duties/duty-server.ts';
export type { ExtraDuty } from './duties/leader-duties.ts';
export { LockDelays } from './duties/lock-delays.ts';
export { type Forwarder, NotSent } from './forwarder.ts';
export { Proposer } from './proposer.ts';
export { aloneConfiguration, Server, type ServerEdges, type ServerLogger, type ServerOptions } from './server.ts';
export { ServerSnapshots } from './snapshots/snapshots.ts';
