/**
 * memberlist's messages: a type byte and one record. "Add a message" starts here: add it to `codecs` and follow the
 * compiler. Field names are the wire's.
 */
import { Malformed } from './malformed.ts';
import { address, bool, bytes, type Infer, int64, omitZero, record, text, u16, u32 } from './record.ts';

export const typeByte = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  crc: 12,
  error: 13,
  label: 244,
} as const;

/** Who asks, so that the answer does not depend on the packet's source; absent from senders before memberlist 0.2. */
const source = {
  SourceAddr: omitZero(address),
  SourcePort: omitZero(u16),
  SourceNode: omitZero(text),
};

/** Node: the name of who should answer; others stay silent. */
export const ping = record({ SeqNo: u32, Node: text, ...source });
/** "Ping Target for me and tell me"; Nack: also tell when it does not answer. */
const indirectPing = record({ SeqNo: u32, Target: address, Port: u16, Node: text, Nack: bool, ...source });
export const ack = record({ SeqNo: u32, Payload: bytes });
const nack = record({ SeqNo: u32 });
const suspect = record({ Incarnation: u32, Node: text, From: text });
/** Vsn: protocol min, max, current; delegate min, max, current. */
const alive = record({ Incarnation: u32, Node: text, Addr: address, Port: u16, Meta: bytes, Vsn: bytes });
/** From = Node: left on purpose. */
const dead = record({ Incarnation: u32, Node: text, From: text });
export const compress = record({ Algo: int64, Buf: bytes });
export const errorReply = record({ Error: text });

const codecs = { ping, indirectPing, ack, nack, suspect, alive, dead } as const;
type Codecs = typeof codecs;
export type RecordKind = keyof Codecs;
export type BodyOf<K extends RecordKind> = Infer<Codecs[K]>;

export type Ping = Infer<typeof ping>;
export type IndirectPing = Infer<typeof indirectPing>;
export type Ack = Infer<typeof ack>;
export type Suspect = Infer<typeof suspect>;
export type Alive = Infer<typeof alive>;
export type Dead = Infer<typeof dead>;

/** A message of a UDP packet; the body of `user` is the bytes for the layer above. */
export type Message =
  | { [K in RecordKind]: { readonly kind: K; readonly body: BodyOf<K> } }[RecordKind]
  | { readonly kind: 'user'; readonly body: Uint8Array };

const kindOfByte = new Map<number, RecordKind>(
  (Object.keys(codecs) as RecordKind[]).map((kind) => [typeByte[kind], kind]),
);

export function encodeMessage(message: Message): Uint8Array {
  if (message.kind === 'user') return encodeUser(message.body);
  return encodeRecord(message.kind, message.body);
}

export function encodeRecord<K extends RecordKind>(kind: K, body: BodyOf<K>): Uint8Array {
  const codec = codecs[kind] as { encode(value: BodyOf<K>, prefix: number): Uint8Array };
  return codec.encode(body, typeByte[kind]);
}

export function encodeUser(body: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(body.length + 1);
  encoded[0] = typeByte.user;
  encoded.set(body, 1);
  return encoded;
}

/** A plain message, no envelope. Throws Malformed. */
export function decodeMessage(encoded: Uint8Array): Message {
  const type = encoded[0];
  if (type === undefined) throw new Malformed('truncated', 'an empty message');
  if (type === typeByte.user) return { kind: 'user', body: encoded.subarray(1) };
  const kind = kindOfByte.get(type);
  if (kind === undefined) throw new Malformed('unknown-type', `message type ${type}`);
  return { kind, body: codecs[kind].decode(encoded, 1) } as Message;
}
