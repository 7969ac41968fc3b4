/** A gossip pool as the agent's own endpoints show it and act on it. */

import type { Member } from '../api/local-agent.ts';
import { type Coordinate as GossipCoordinate, GossipError, type Member as GossipMember } from '../gossip/index.ts';
import type { Coordinate } from '../structs/index.ts';
import type { Cluster } from './cluster.ts';
import { dial, splitAddress } from './dial.ts';
import { dialError } from './local/checks/net-errors.ts';
import { LocalError } from './local/errors.ts';
import type { AgentPool } from './membership/agent-pool.ts';

/** What every agent has of its LAN pool, server or client. */
export function poolParts({ gossip }: AgentPool): Required<Pick<Cluster, 'events' | 'coordinate'>> {
  return {
    events: {
      send(name, payload) {
        try {
          gossip.userEvent(name, payload);
        } catch (error) {
          if (!(error instanceof GossipError) || error.code !== 'event-too-large') throw error;
          throw new LocalError('failed', 'user event exceeds configured limit of 512 bytes before encoding');
        }
      },
      receive: (delivered) =>
        gossip.on('userEvent', ({ name, payload, lamportTime }) => delivered(name, payload, lamportTime)),
    },
    coordinate: () => coordinateForm(gossip.coordinate()),
  };
}

/** A copy in the form of records. */
export function coordinateForm({ Vec, Error: error, Adjustment, Height }: GossipCoordinate): Coordinate {
  return { Vec: [...Vec], Error: error, Adjustment, Height };
}

const statusNumber = { none: 0, alive: 1, leaving: 2, left: 3, failed: 4 } as const;

export function memberOf(member: GossipMember): Member {
  return {
    Name: member.name,
    Addr: member.address,
    Port: member.port,
    Tags: member.tags,
    Status: statusNumber[member.status],
    ProtocolMin: member.protocolMin,
    ProtocolMax: member.protocolMax,
    ProtocolCur: member.protocolCur,
    DelegateMin: member.delegateMin,
    DelegateMax: member.delegateMax,
    DelegateCur: member.delegateCur,
  };
}

/** Joins through one address. Throws a LocalError in the words that tools of the field know. */
export async function joinPool(pool: AgentPool, address: string, defaultPort: number): Promise<void> {
  try {
    await pool.join([address]);
  } catch (error) {
    if (!(error instanceof GossipError)) throw error;
    throw new LocalError('failed', `1 error occurred:\n\t* ${await whyNot(address, defaultPort, error)}\n\n`);
  }
}

async function whyNot(address: string, defaultPort: number, error: GossipError): Promise<string> {
  const { host, port } = splitAddress(address, defaultPort);
  if (host === '') return 'Failed to resolve : lookup : no such host';
  const refused = await dial(host, port);
  // It can be reached: then it was the other side that refused, and said why.
  if (refused === undefined) return `Failed to join ${host}:${port}: ${error.message}`;
  const { code } = refused as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `Failed to resolve ${host}: lookup ${host}: no such host`;
  return `Failed to join ${host}:${port}: ${dialError(refused, `${host}:${port}`)}`;
}

/** False when there is no such member; one that is alive refutes it. */
export async function forceLeaveMember(pool: AgentPool, name: string, prune: boolean): Promise<boolean> {
  if (!pool.members().some((member) => member.name === name)) return false;
  await pool.gossip.forceLeave(name, { prune });
  return true;
}

export const noSuchMember = (node: string): LocalError =>
  new LocalError('failed', `agent: No node found with name '${node}'`);
