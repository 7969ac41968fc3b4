/**
 * TCP messages, once the outer layers (label, encryption) are off: one message each way and then the connection closes.
 * A TCP message has no length of its own, so a reader scans what it has and asks for more (`StreamScanner`).
 */
import { pushPullNodesMax, streamBytesMax, streamInflatedBytesMax } from './limits.ts';
import { Malformed, type WireProblem } from './malformed.ts';
import { type Ack, ack, errorReply, type Ping, ping, typeByte } from './messages.ts';
import { MsgpackReader, MsgpackWriter } from './msgpack.ts';
import { decompress, encodeCompress } from './packet.ts';
import { address, bool, bytes, type Infer, int64, record, text, u16, u32 } from './record.ts';

const pushPullHeader = record({ Nodes: int64, UserStateLen: int64, Join: bool });
const pushPullNode = record({
  Name: text,
  Addr: address,
  Port: u16,
  Meta: bytes,
  Incarnation: u32,
  State: int64,
  Vsn: bytes,
});
const userHeader = record({ UserMsgLen: int64 });

/** A member in a push-pull. State: 0 alive, 1 suspect, 2 dead, 3 left. */
export type PushPullNode = Infer<typeof pushPullNode>;

export interface PushPull {
  readonly Join: boolean;
  readonly Nodes: readonly PushPullNode[];
  /** For the layer above; empty when there is none. */
  readonly UserState: Uint8Array;
}

export type StreamMessage =
  | { readonly kind: 'pushPull'; readonly body: PushPull }
  | { readonly kind: 'ping'; readonly body: Ping }
  | { readonly kind: 'ack'; readonly body: Ack }
  | { readonly kind: 'user'; readonly body: Uint8Array }
  | { readonly kind: 'error'; readonly body: string };

export type DecodedStream =
  | { readonly ok: true; readonly message: StreamMessage }
  | { readonly ok: false; readonly problem: WireProblem; readonly detail: string };

export function encodeStream(message: StreamMessage, options: { compression: boolean }): Uint8Array {
  const plain = encodePlain(message);
  return options.compression ? encodeCompress(plain) : plain;
}

function encodePlain(message: StreamMessage): Uint8Array {
  switch (message.kind) {
    case 'ping':
      return ping.encode(message.body, typeByte.ping);
    case 'ack':
      return ack.encode(message.body, typeByte.ack);
    case 'error':
      return errorReply.encode({ Error: message.body }, typeByte.error);
    case 'user': {
      const writer = new MsgpackWriter(message.body.length + 32);
      writer.byte(typeByte.user);
      userHeader.write(writer, { UserMsgLen: message.body.length });
      writer.raw(message.body);
      return writer.finish();
    }
    case 'pushPull': {
      const { Join, Nodes, UserState } = message.body;
      const writer = new MsgpackWriter(1024 + UserState.length + Nodes.length * 128);
      writer.byte(typeByte.pushPull);
      pushPullHeader.write(writer, { Join, Nodes: Nodes.length, UserStateLen: UserState.length });
      for (const node of Nodes) pushPullNode.write(writer, node);
      writer.raw(UserState);
      return writer.finish();
    }
  }
}

/** A complete message, plain or compressed. */
export function decodeStream(encoded: Uint8Array): DecodedStream {
  try {
    if (encoded[0] !== typeByte.compress) return { ok: true, message: decodePlain(encoded) };
    const inflated = decompress(encoded, streamInflatedBytesMax);
    return { ok: true, message: decodePlain(inflated) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { ok: false, problem: error.problem, detail: error.message };
  }
}

function decodePlain(encoded: Uint8Array): StreamMessage {
  const type = encoded[0];
  switch (type) {
    case undefined:
      throw new Malformed('truncated', 'an empty stream');
    case typeByte.ping:
      return { kind: 'ping', body: ping.decode(encoded, 1) };
    case typeByte.ack:
      return { kind: 'ack', body: ack.decode(encoded, 1) };
    case typeByte.error:
      return { kind: 'error', body: errorReply.decode(encoded, 1).Error };
    case typeByte.user: {
      const reader = new MsgpackReader(encoded, 1);
      const length = bounded(userHeader.read(reader).UserMsgLen, streamBytesMax);
      return { kind: 'user', body: rest(reader, length) };
    }
    case typeByte.pushPull:
      return { kind: 'pushPull', body: decodePushPull(new MsgpackReader(encoded, 1)) };
    default:
      throw new Malformed('unknown-type', `stream type ${type}`);
  }
}

function decodePushPull(reader: MsgpackReader): PushPull {
  const header = pushPullHeader.read(reader);
  const count = bounded(header.Nodes, pushPullNodesMax);
  const userStateBytes = bounded(header.UserStateLen, streamBytesMax);
  const Nodes: PushPullNode[] = [];
  for (let i = 0; i < count; i++) Nodes.push(pushPullNode.read(reader));
  return { Join: header.Join, Nodes, UserState: rest(reader, userStateBytes) };
}

function bounded(value: number, max: number): number {
  if (value < 0 || value > max) throw new Malformed('too-large', `${value} announced, at most ${max} accepted`);
  return value;
}

function rest(reader: MsgpackReader, length: number): Uint8Array {
  if (reader.remaining < length) throw new Malformed('truncated', `${length} bytes announced`);
  if (reader.remaining > length) throw new Malformed('malformed', 'bytes left over');
  return reader.bytes.subarray(reader.position, reader.position + length);
}

/**
 * Tells when a growing buffer holds one whole stream message. It remembers the last value it passed, so that a large
 * push-pull in many chunks is walked once, not once a chunk.
 */
export class StreamScanner {
  private position = 1;
  private nodesLeft = -1;
  private tailBytes = 0;

  /** True when complete (or when more bytes cannot help: the decoder will say what is wrong). */
  complete(buffer: Uint8Array): boolean {
    const type = buffer[0];
    if (type === undefined) return false;
    try {
      if (type === typeByte.pushPull) return this.pushPull(buffer);
      if (type === typeByte.user) return this.user(buffer);
      const reader = new MsgpackReader(buffer, 1);
      if (isRecordType(type)) reader.skip();
      return true;
    } catch (error) {
      if (error instanceof Malformed) return error.problem !== 'truncated';
      throw error;
    }
  }

  private pushPull(buffer: Uint8Array): boolean {
    const reader = new MsgpackReader(buffer, this.position);
    if (this.nodesLeft < 0) {
      const header = pushPullHeader.read(reader);
      this.tailBytes = bounded(header.UserStateLen, streamBytesMax);
      this.nodesLeft = bounded(header.Nodes, pushPullNodesMax);
      this.position = reader.position;
    }
    while (this.nodesLeft > 0) {
      reader.skip();
      this.position = reader.position;
      this.nodesLeft--;
    }
    return buffer.length >= this.position + this.tailBytes;
  }

  private user(buffer: Uint8Array): boolean {
    const reader = new MsgpackReader(buffer, 1);
    const length = bounded(userHeader.read(reader).UserMsgLen, streamBytesMax);
    return reader.remaining >= length;
  }
}

const recordTypes: ReadonlySet<number> = new Set([typeByte.ping, typeByte.ack, typeByte.error, typeByte.compress]);
const isRecordType = (type: number): boolean => recordTypes.has(type);
