/** The gRPC service of proto/raft.proto, with codecs made from the file itself, and the checksum that ends everything sent. */
import { crc32 } from 'node:zlib';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from 'protobufjs';
import { RaftError } from '../errors.ts';
import { answerType, frameType, partType } from './wire.ts';

/** Field 15, fixed32. */
const checksumTag = (15 << 3) | 5;
const checksumBytes = 1 + 4;

const encode = (type: Type) => (value: object) => {
  const written = type.encode(value).uint32(checksumTag).fixed32(0).finish();
  const bytes = Buffer.isBuffer(written)
    ? written
    : Buffer.from(written.buffer, written.byteOffset, written.byteLength);
  const end = bytes.length - checksumBytes;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end + 1);
  return bytes;
};

/** Throws `badPeer` for what is not as it was sent. */
const decode = (type: Type) => (bytes: Buffer) => {
  const end = bytes.length - checksumBytes;
  const whole = end >= 0 && bytes[end] === checksumTag && bytes.readUInt32LE(end + 1) === crc32(bytes.subarray(0, end));
  if (!whole) throw new RaftError('badPeer', { detail: 'what it sent was damaged on its way' });
  return type.decode(bytes);
};

const stream = (name: string, request: Type, response: Type) => ({
  path: `/heddle.raft.v1.Raft/${name}`,
  requestStream: true,
  responseStream: true,
  requestSerialize: encode(request),
  requestDeserialize: decode(request),
  responseSerialize: encode(response),
  responseDeserialize: decode(response),
});

export const raftService = {
  messages: stream('Messages', frameType, frameType),
  installCheckpoint: stream('InstallCheckpoint', partType, answerType),
} satisfies ServiceDefinition;
