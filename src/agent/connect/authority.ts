/** Puts the certificate authority into a server: a duty of the leader, and the calls that only the leader answers. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Backend, Caller } from '../../api/backend.ts';
import type { AgentId, ServiceId } from '../../ca/index.ts';
import type { ReadTx } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { CallHandler, ExtraDuty } from '../server/index.ts';
import { type CaLog, CaManager, type CaManagerOptions } from './ca-manager.ts';
import { caServerOn } from './ca-server.ts';

/** What the authority asks of the server it is put into. */
export interface AuthorityHost extends Pick<Backend, 'datacenter'> {
  readonly view: ReadTx;
  /** Writes as the leader itself, internal commands included. */
  readonly write: Backend['apply'];
  addDuty(duty: ExtraDuty): void;
  handle(name: 'ca.sign', handler: CallHandler<'ca.sign'>): void;
  handle(name: 'ca.configure', handler: CallHandler<'ca.configure'>): void;
}

export interface AuthorityDeps {
  readonly clock: Clock;
  readonly log: CaLog;
  readonly rights: AuthorityRights;
}

/** Throw unless the caller's token gives the right. */
export interface AuthorityRights {
  /** service:write on the service, node:write on the node. */
  mayAct(id: ServiceId | AgentId, caller: Caller): void | Promise<void>;
  /** operator:write. */
  mayConfigure(caller: Caller): void | Promise<void>;
}

/** For clusters without ACLs. */
export const everybodyMay: AuthorityRights = { mayAct: () => undefined, mayConfigure: () => undefined };

export function installAuthority(host: AuthorityHost, options: CaManagerOptions, deps: AuthorityDeps): CaManager {
  const { clock, log, rights } = deps;
  const { datacenter } = host;
  const apply: Backend['apply'] = (name, args, caller) => host.write(name, args, caller);
  const server = caServerOn({ datacenter, apply }, () => host.view);
  const manager = new CaManager(options, { server, clock, log, randomBytes, uuid: randomUUID });
  host.handle('ca.sign', {
    where: 'leader',
    run: ({ csr }, caller) => manager.sign(csr, (id) => rights.mayAct(id, caller)),
  });
  host.handle('ca.configure', {
    where: 'leader',
    async run(request, caller) {
      await rights.mayConfigure(caller);
      await manager.configure(request);
      return null;
    },
  });
  host.addDuty({
    name: 'certificate authority',
    start: () => manager.becomeLeader(),
    stop: () => manager.loseLeadership(),
  });
  return manager;
}
