/**
 * What an agent tells the pool about itself: its gossip tags, in the form that the field's agents read (gossip-wire: tags of
 * servers and clients). Whether a member is a server, and where its RPC listens, is read from nothing else.
 */
export interface AgentTags {
  readonly role: 'server' | 'client';
  readonly datacenter: string;
  /** UUID of the node. */
  readonly id: string;
  /** Version for people and tools: `0.1.0`. */
  readonly build: string;
  readonly aclsEnabled: boolean;
  /** Of servers: the port of their RPC. */
  readonly rpcPort: number;
  /** Of servers: waits for nobody. */
  readonly bootstrap: boolean;
  /** Of servers: how many are awaited; 0 when none. */
  readonly bootstrapExpect: number;
  readonly usesTls: boolean;
  /** Of servers with a WAN pool: its port. */
  readonly wanJoinPort?: number | undefined;
}

export function encodeTags(tags: AgentTags): Record<string, string> {
  const common = {
    role: tags.role === 'server' ? 'consul' : 'node',
    dc: tags.datacenter,
    id: tags.id,
    segment: '',
    vsn: '2',
    vsn_min: '2',
    vsn_max: '3',
    build: `${tags.build}:`,
    acls: tags.aclsEnabled ? '1' : '0',
  };
  if (tags.role === 'client') return common;
  return {
    ...common,
    port: String(tags.rpcPort),
    raft_vsn: '3',
    ft_fs: '1',
    ft_si: '1',
    ...(tags.bootstrap || tags.bootstrapExpect === 1 ? { bootstrap: '1' } : {}),
    ...(tags.bootstrapExpect > 1 ? { expect: String(tags.bootstrapExpect) } : {}),
    ...(tags.usesTls ? { use_tls: '1' } : {}),
    ...(tags.wanJoinPort === undefined ? {} : { wan_join_port: String(tags.wanJoinPort) }),
  };
}

/** A server as its tags describe it. */
export interface ServerMember {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly rpcPort: number;
  readonly datacenter: string;
  readonly build: string;
  readonly bootstrap: boolean;
  /** 0 when none is told. */
  readonly expect: number;
  /** Of its WAN pool; undefined: it has none. */
  readonly wanJoinPort: number | undefined;
  readonly status: MemberStatus;
}

export type MemberStatus = 'none' | 'alive' | 'leaving' | 'left' | 'failed';

/** A member of a pool, as far as this room needs to know. */
export interface PoolMember {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: MemberStatus;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocolCur: number;
}

/** Undefined for clients, and for what calls itself a server without the tags of one. */
export function serverOf(member: PoolMember): ServerMember | undefined {
  const { tags } = member;
  if (tags.role !== 'consul') return undefined;
  const rpcPort = wholeNumber(tags.port);
  if (rpcPort === undefined || wholeNumber(tags.vsn) === undefined) return undefined;
  const build = /\d+\.\d+\.\d+/.exec(tags.build ?? '')?.[0];
  if (build === undefined) return undefined;
  const expect = tags.expect === undefined ? 0 : wholeNumber(tags.expect);
  if (expect === undefined) return undefined;
  const wanJoinPort = wholeNumber(tags.wan_join_port);
  if (tags.wan_join_port !== undefined && wanJoinPort === undefined) return undefined;
  return {
    name: member.name,
    id: tags.id ?? '',
    address: member.address,
    rpcPort,
    datacenter: tags.dc ?? '',
    build,
    bootstrap: tags.bootstrap !== undefined,
    expect,
    wanJoinPort,
    status: member.status,
  };
}

/** `ip:port` of a server's RPC. */
export function rpcAddress({ address, rpcPort }: Pick<ServerMember, 'address' | 'rpcPort'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${rpcPort}`;
}

/**
 * Why a member may not be in our LAN pool, or undefined. A refusal names both sides, since whoever reads it has mixed up two
 * datacenters or copied a data directory.
 */
export function admissionFault(
  member: PoolMember,
  own: { readonly name: string; readonly id: string; readonly datacenter: string },
): string | undefined {
  if (member.tags.id !== undefined && member.tags.id !== '' && member.tags.id === own.id && member.name !== own.name) {
    return `Member '${member.name}' has conflicting node ID '${own.id}' with this agent's ID)`;
  }
  const isAgent = member.tags.role === 'node' || serverOf(member) !== undefined;
  if (isAgent && member.tags.dc !== own.datacenter) {
    return `Member '${member.name}' part of wrong datacenter '${member.tags.dc ?? ''}'`;
  }
  if ((member.tags.segment ?? '') !== '') {
    return `Member '${member.name}' part of wrong segment '${member.tags.segment}' (expected '')`;
  }
  return undefined;
}

/** The WAN pool is the servers' own. */
export function wanAdmissionFault(member: PoolMember): string | undefined {
  return serverOf(member) === undefined ? `Member '${member.name}' is not a server` : undefined;
}

/** What a server is called in the WAN pool, where names of several datacenters meet. */
export function wanName(name: string, datacenter: string): string {
  return `${name}.${datacenter}`;
}

/** The node's own name of a WAN member; node names may hold dots themselves. */
export function shortName(name: string, datacenter: string): string {
  const suffix = `.${datacenter}`;
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
