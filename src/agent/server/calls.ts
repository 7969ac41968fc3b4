/** The calls that a server answers by itself; other rooms add theirs (identities, autopilot) through `Server.handle`. */
import type { Caller, CallName, Calls } from '../../api/backend.ts';
import { notAUuid, Refusal, type Store } from '../../fsm/index.ts';
import type { Raft } from '../../raft/index.ts';
import type { DatacenterCoordinates } from '../../structs/index.ts';
import type { PoolMember } from '../membership/tags.ts';
import { serverOf } from '../membership/tags.ts';
import type { LeaderDuties } from './duties/leader-duties.ts';
import type { Leadership } from './leadership.ts';

export interface CallHandler<N extends CallName> {
  /** `leader`: forwarded to it and held while there is none. `any`: answered by the server asked. */
  readonly where: 'leader' | 'any';
  run(args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> | Calls[N]['result'];
}

export type CallHandlers = { readonly [N in CallName]?: CallHandler<N> };

export interface CallParts {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly raft: Raft;
  readonly store: Store;
  readonly leadership: Leadership;
  readonly duties: LeaderDuties;
  members(): readonly PoolMember[];
  readonly datacenters: Datacenters | undefined;
}

/** What a server's WAN pool says of the datacenters. */
export interface Datacenters {
  /** The own one first, then by distance. */
  datacenters(): readonly string[];
  coordinates(): readonly DatacenterCoordinates[];
}

export function ownCalls(parts: CallParts): CallHandlers {
  const { raft, leadership } = parts;
  const addresses = (): Readonly<Record<string, string>> => raft.status().configuration.addresses;
  return {
    'status.leader': { where: 'any', run: () => addresses()[leadership.leaderId ?? ''] ?? '' },
    'status.peers': {
      where: 'any',
      run() {
        const { voters, learners } = raft.status().configuration;
        return [...voters, ...learners].map((id) => addresses()[id]!).sort();
      },
    },
    'catalog.datacenters': { where: 'any', run: () => parts.datacenters?.datacenters() ?? [parts.datacenter] },
    'coordinate.datacenters': { where: 'any', run: () => parts.datacenters?.coordinates() ?? [] },
    'session.renew': { where: 'leader', run: ({ id }) => renewSession(parts, id) },
    'coordinate.update': {
      where: 'leader',
      run(update) {
        parts.duties.report(update);
        return null;
      },
    },
    'operator.raftConfiguration': { where: 'leader', run: () => raftConfiguration(parts) },
    'operator.removePeer': { where: 'leader', run: ({ id, address }) => removePeer(raft, id, address) },
    'operator.transferLeader': {
      where: 'leader',
      async run({ id }) {
        await raft.transferLeadership(id === '' ? undefined : id);
        return { Success: true };
      },
    },
  };
}

function renewSession({ store, duties }: CallParts, id: string): Calls['session.renew']['result'] {
  if (id.length !== 36) throw notAUuid();
  const session = store.view.table('sessions').get([id]);
  if (session === undefined) return null;
  duties.renew(session);
  return session;
}

function raftConfiguration(parts: CallParts): Calls['operator.raftConfiguration']['result'] {
  const { configuration, peers, lastLogIndex, id: ownId } = parts.raft.status();
  const reached = new Map([...peers.map(({ id, matchIndex }) => [id, matchIndex] as const), [ownId, lastLogIndex]]);
  const byId = new Map(
    parts.members().flatMap((member) => (member.tags.id ? [[member.tags.id, member] as const] : [])),
  );
  const Servers = [...configuration.voters, ...configuration.learners].map((ID) => {
    const member = byId.get(ID);
    const known = member !== undefined && serverOf(member) !== undefined;
    return {
      ID,
      Node: known ? member.name : '(unknown)',
      Address: configuration.addresses[ID] ?? '',
      Leader: ID === parts.leadership.leaderId,
      ProtocolVersion: known ? '3' : 'unknown',
      Voter: configuration.voters.includes(ID),
      LastIndex: reached.get(ID) ?? 0,
    };
  });
  return { Servers, Index: 0 };
}

async function removePeer(raft: Raft, id: string, address: string): Promise<null> {
  const { configuration } = raft.status();
  const found = Object.keys(configuration.addresses).find(
    (peer) => peer === id || (id === '' && configuration.addresses[peer] === address),
  );
  if (found === undefined) {
    const what = id === '' ? `address "${address}"` : `id "${id}"`;
    throw new Refusal('failed', `${what} was not found in the Raft configuration`);
  }
  await raft.changeMembership({ remove: [found] });
  return null;
}
