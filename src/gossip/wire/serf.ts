/**
 * Serf's messages: the bodies of memberlist user messages, a type byte of their own and one record. Also the record
 * behind a member's tags and the coordinate in an ack. Field names are the wire's.
 */
import { Malformed, type WireProblem } from './malformed.ts';
import { MsgpackReader, MsgpackWriter } from './msgpack.ts';
import {
  address,
  bool,
  bytes,
  float64,
  type Infer,
  int64,
  list,
  nullable,
  record,
  text,
  textMap,
  u8,
  u16,
  u32,
  u64,
} from './record.ts';

const serfTypeByte = {
  leave: 0,
  join: 1,
  pushPull: 2,
  userEvent: 3,
  query: 4,
  queryResponse: 5,
  conflictResponse: 6,
  keyRequest: 7,
  keyResponse: 8,
  relay: 9,
} as const;

const leaveIntent = record({ LTime: u64, Node: text, Prune: bool });
const joinIntent = record({ LTime: u64, Node: text });
/** CC: may be coalesced. */
const userEvent = record({ LTime: u64, Name: text, Payload: bytes, CC: bool });
/** Flags: queryFlags. Timeout in nanoseconds. */
const query = record({
  LTime: u64,
  ID: u32,
  Addr: address,
  Port: u16,
  SourceNode: text,
  Filters: list(bytes),
  Flags: u32,
  RelayFactor: u8,
  Timeout: int64,
  Name: text,
  Payload: bytes,
});
const queryResponse = record({ LTime: u64, ID: u32, From: text, Flags: u32, Payload: bytes });

const pastEvents = record({ LTime: u64, Events: list(record({ Name: text, Payload: bytes })) });
/** Events is the image of a ring: slot = LTime mod length, nil when empty. */
const pushPullState = record({
  LTime: u64,
  StatusLTimes: textMap(u64),
  LeftMembers: list(text),
  EventLTime: u64,
  Events: list(nullable(pastEvents)),
  QueryLTime: u64,
});

/** A member as a conflict response tells it. Status: 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
const memberRecord = record({
  Name: text,
  Addr: address,
  Port: u16,
  Tags: textMap(text),
  Status: int64,
  ProtocolMin: u8,
  ProtocolMax: u8,
  ProtocolCur: u8,
  DelegateMin: u8,
  DelegateMax: u8,
  DelegateCur: u8,
});
const keyRequest = record({ Key: bytes });
const keyResponse = record({ Result: bool, Message: text, Keys: list(text), PrimaryKey: text });
const relayHeader = record({ DestAddr: record({ IP: address, Port: int64, Zone: text }), DestName: text });

/** Node filter: only these names. */
const nodeFilter = list(text);
const tagFilter = record({ Tag: text, Expr: text });

export const queryFlags = { ack: 1, noBroadcast: 2 } as const;

export type UserEventMessage = Infer<typeof userEvent>;
export type QueryMessage = Infer<typeof query>;
export type QueryResponseMessage = Infer<typeof queryResponse>;
export type PushPullState = Infer<typeof pushPullState>;
export type PastEvents = Infer<typeof pastEvents>;
export type MemberRecord = Infer<typeof memberRecord>;
export type KeyResponse = Infer<typeof keyResponse>;

export interface Relay {
  readonly DestAddr: string;
  readonly DestPort: number;
  readonly DestName: string;
  /** The Serf message to hand on: type byte and body. */
  readonly inner: Uint8Array;
}

const codecs = {
  leave: leaveIntent,
  join: joinIntent,
  userEvent,
  query,
  queryResponse,
  pushPull: pushPullState,
} as const;
type Codecs = typeof codecs;
export type SerfKind = keyof Codecs;

export type SerfMessage =
  | { [K in SerfKind]: { readonly kind: K; readonly body: Infer<Codecs[K]> } }[SerfKind]
  | { readonly kind: 'relay'; readonly body: Relay };

export type DecodedSerf =
  | { readonly ok: true; readonly message: SerfMessage }
  | { readonly ok: false; readonly problem: WireProblem };

const kindOfByte = new Map<number, SerfKind>(
  (Object.keys(codecs) as SerfKind[]).map((kind) => [serfTypeByte[kind], kind]),
);

export function encodeSerf(message: SerfMessage): Uint8Array {
  if (message.kind === 'relay') return encodeRelay(message.body);
  const codec = codecs[message.kind] as { encode(value: unknown, prefix: number): Uint8Array };
  return codec.encode(message.body, serfTypeByte[message.kind]);
}

function encodeRelay(relay: Relay): Uint8Array {
  const writer = new MsgpackWriter(relay.inner.length + 96);
  writer.byte(serfTypeByte.relay);
  const DestAddr = { IP: relay.DestAddr, Port: relay.DestPort, Zone: '' };
  relayHeader.write(writer, { DestAddr, DestName: relay.DestName });
  writer.raw(relay.inner);
  return writer.finish();
}

export function decodeSerf(encoded: Uint8Array): DecodedSerf {
  return guarded(() => {
    const type = encoded[0];
    if (type === undefined) throw new Malformed('truncated', 'an empty Serf message');
    if (type === serfTypeByte.relay) return { kind: 'relay', body: decodeRelay(encoded) } as const;
    const kind = kindOfByte.get(type);
    if (kind === undefined) throw new Malformed('unknown-type', `Serf message type ${type}`);
    return { kind, body: codecs[kind].decode(encoded, 1) } as SerfMessage;
  });
}

function guarded(decode: () => SerfMessage): DecodedSerf {
  try {
    return { ok: true, message: decode() };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { ok: false, problem: error.problem };
  }
}

function decodeRelay(encoded: Uint8Array): Relay {
  const reader = new MsgpackReader(encoded, 1);
  const { DestAddr, DestName } = relayHeader.read(reader);
  if (DestAddr.Port < 0 || DestAddr.Port > 0xffff) throw new Malformed('malformed', `relay to port ${DestAddr.Port}`);
  const inner = encoded.subarray(reader.position);
  return { DestAddr: DestAddr.IP, DestPort: DestAddr.Port, DestName, inner };
}

// --- tags (a member's Meta)

const tagsMagic = 0xff;

export function encodeTags(tags: Readonly<Record<string, string>>): Uint8Array {
  const writer = new MsgpackWriter(128);
  writer.byte(tagsMagic);
  textMap(text).write(writer, new Map(Object.entries(tags)));
  return writer.finish();
}

/** Meta without the magic byte is the value of the tag `role`, as agents before tags sent it. */
export function decodeTags(meta: Uint8Array | null): Record<string, string> {
  if (meta === null || meta[0] !== tagsMagic) {
    return { role: meta === null ? '' : new MsgpackReader(withRawHeader(meta)).text() };
  }
  try {
    return Object.fromEntries(textMap(text).read(new MsgpackReader(meta, 1)));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return {};
  }
}

function withRawHeader(value: Uint8Array): Uint8Array {
  const writer = new MsgpackWriter(value.length + 5);
  writer.bytes(value);
  return writer.finish();
}

// --- coordinates (the payload of an ack)

const coordinate = record({ Vec: list(float64), Error: float64, Adjustment: float64, Height: float64 });
const pingVersion = 1;

export interface WireCoordinate {
  readonly Vec: readonly number[];
  readonly Error: number;
  readonly Adjustment: number;
  readonly Height: number;
}

export function encodePingPayload(value: WireCoordinate): Uint8Array {
  return coordinate.encode(value, pingVersion);
}

/** undefined: no coordinate, or of a version that nobody knows. */
export function decodePingPayload(payload: Uint8Array | null): WireCoordinate | undefined {
  if (payload === null || payload[0] !== pingVersion) return undefined;
  try {
    const value = coordinate.decode(payload, 1);
    return { ...value, Vec: value.Vec ?? [] };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return undefined;
  }
}

// --- query filters

export type QueryFilter =
  | { readonly kind: 'nodes'; readonly names: readonly string[] }
  | { readonly kind: 'tag'; readonly tag: string; readonly expression: string };

const filterByte = { nodes: 0, tag: 1 } as const;

export function encodeFilter(filter: QueryFilter): Uint8Array {
  if (filter.kind === 'tag') return tagFilter.encode({ Tag: filter.tag, Expr: filter.expression }, filterByte.tag);
  const writer = new MsgpackWriter();
  writer.byte(filterByte.nodes);
  nodeFilter.write(writer, filter.names);
  return writer.finish();
}

/** undefined for a filter that cannot be read: the query is then not for us. */
export function decodeFilter(encoded: Uint8Array | null): QueryFilter | undefined {
  if (encoded === null) return undefined;
  try {
    if (encoded[0] === filterByte.nodes) {
      return { kind: 'nodes', names: nodeFilter.read(new MsgpackReader(encoded, 1)) ?? [] };
    }
    if (encoded[0] !== filterByte.tag) return undefined;
    const { Tag, Expr } = tagFilter.decode(encoded, 1);
    return { kind: 'tag', tag: Tag, expression: Expr };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return undefined;
  }
}

// --- payloads of internal queries

export function encodeConflictResponse(member: MemberRecord | null): Uint8Array {
  const writer = new MsgpackWriter();
  writer.byte(serfTypeByte.conflictResponse);
  nullable(memberRecord).write(writer, member);
  return writer.finish();
}

/** undefined when unreadable, null for "I do not know this member". */
export function decodeConflictResponse(payload: Uint8Array): MemberRecord | null | undefined {
  return readPrefixed(payload, serfTypeByte.conflictResponse, (reader) => nullable(memberRecord).read(reader));
}

export function encodeKeyRequest(key: Uint8Array | null): Uint8Array {
  return keyRequest.encode({ Key: key ?? new Uint8Array(0) }, serfTypeByte.keyRequest);
}

export function decodeKeyRequest(payload: Uint8Array | null): Uint8Array | undefined {
  const read = (reader: MsgpackReader): Uint8Array => keyRequest.read(reader).Key ?? new Uint8Array(0);
  return payload === null ? undefined : readPrefixed(payload, serfTypeByte.keyRequest, read);
}

export function encodeKeyResponse(response: KeyResponse): Uint8Array {
  return keyResponse.encode(response, serfTypeByte.keyResponse);
}

export function decodeKeyResponse(payload: Uint8Array): KeyResponse | undefined {
  return readPrefixed(payload, serfTypeByte.keyResponse, (reader) => keyResponse.read(reader));
}

function readPrefixed<T>(payload: Uint8Array, prefix: number, read: (reader: MsgpackReader) => T): T | undefined {
  if (payload[0] !== prefix) return undefined;
  try {
    return read(new MsgpackReader(payload, 1));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return undefined;
  }
}
