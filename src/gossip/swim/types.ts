/** The words of SWIM: what a member is, where it is, what the pool thinks of it. */

export interface Endpoint {
  /** IP address in canonical text form. */
  readonly address: string;
  readonly port: number;
}

/** Grows only by the member's own hand; what it says about itself with a higher one overrides what others say. */
export type Incarnation = number;

export type PeerState = 'alive' | 'suspect' | 'dead' | 'left';

/** A member as this one knows it. Records are replaced, never changed: whoever holds one holds a fact of its time. */
export interface Peer extends Endpoint {
  readonly name: string;
  readonly incarnation: Incarnation;
  readonly state: PeerState;
  /** When the state was entered, on this member's clock. */
  readonly sinceMs: number;
  /** What the layer above says about itself (Serf: tags). At most 512 bytes. */
  readonly meta: Uint8Array;
  readonly versions: Versions;
}

/** Protocol versions: understood from, to, and spoken; then the same for the layer above. */
export interface Versions {
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocolCur: number;
  readonly delegateMin: number;
  readonly delegateMax: number;
  readonly delegateCur: number;
}

/** What each protocol version brought: a member that announces less is not asked for it. */
export const protocolWith = { tcpPing: 3, nack: 4, crc: 5 } as const;

/** A pool speaks few combinations of versions: each is one object, whatever the number of members. */
const known = new Map<string, Versions>();
/** Forged ones beyond that are objects of their own. */
const knownMax = 64;
const encoded = new WeakMap<Versions, Uint8Array>();

export function versionsFromBytes(bytes: Uint8Array | null): Versions {
  const key = bytes === null ? '' : String(bytes.subarray(0, 6));
  const before = known.get(key);
  if (before !== undefined) return before;
  const at = (index: number): number => bytes?.[index] ?? 0;
  const versions: Versions = {
    protocolMin: at(0),
    protocolMax: at(1),
    protocolCur: at(2),
    delegateMin: at(3),
    delegateMax: at(4),
    delegateCur: at(5),
  };
  if (known.size < knownMax) known.set(key, versions);
  return versions;
}

/** Six bytes, to be read only. */
export function versionsToBytes(v: Versions): Uint8Array {
  const before = encoded.get(v);
  if (before !== undefined) return before;
  const bytes = Uint8Array.of(v.protocolMin, v.protocolMax, v.protocolCur, v.delegateMin, v.delegateMax, v.delegateCur);
  encoded.set(v, bytes);
  return bytes;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export const isGone = (peer: Peer): boolean => peer.state === 'dead' || peer.state === 'left';
