/** The gRPC service of proto/raft.proto, with codecs made from the file itself. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from 'protobufjs';
import { answerType, frameType, partType } from './wire.ts';

const encode = (type: Type) => (value: object) => Buffer.from(type.encode(value).finish());
const decode = (type: Type) => (bytes: Buffer) => type.decode(bytes);

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
