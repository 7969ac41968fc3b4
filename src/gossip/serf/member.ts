/** A member as Serf shows it: SWIM's record with tags instead of bytes, and a status that knows about leaving. */
import type { Peer } from '../swim/types.ts';
import { decodeTags, type MemberRecord } from '../wire/serf.ts';

export type MemberStatus = 'none' | 'alive' | 'leaving' | 'left' | 'failed';

/** One member of the pool as this member sees it. */
export interface Member {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: MemberStatus;
  /** memberlist protocol versions: understood from, to, and spoken. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocolCur: number;
  /** Serf protocol versions: understood from, to, and spoken. */
  readonly delegateMin: number;
  readonly delegateMax: number;
  readonly delegateCur: number;
}

const statusNumber: Readonly<Record<MemberStatus, number>> = { none: 0, alive: 1, leaving: 2, left: 3, failed: 4 };

export function memberFromPeer(peer: Peer, status: MemberStatus): Member {
  const { name, address, port, versions } = peer;
  return { name, address, port, tags: decodeTags(peer.meta), status, ...versions };
}

export function memberToRecord(member: Member): MemberRecord {
  return {
    Name: member.name,
    Addr: member.address,
    Port: member.port,
    Tags: new Map(Object.entries(member.tags)),
    Status: statusNumber[member.status],
    ProtocolMin: member.protocolMin,
    ProtocolMax: member.protocolMax,
    ProtocolCur: member.protocolCur,
    DelegateMin: member.delegateMin,
    DelegateMax: member.delegateMax,
    DelegateCur: member.delegateCur,
  };
}
