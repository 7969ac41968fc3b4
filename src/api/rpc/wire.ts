/** The types of proto/cluster.proto as protobufjs reads them, and msgpack for arguments and results. */
import { join } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { type Options, Packr } from 'msgpackr';
import protobuf from 'protobufjs';
import { packageRoot } from '../../package-root.ts';

export type WireKind = 'APPLY' | 'QUERY' | 'CALL' | 'WATCH';
export type WireConsistency = 'DEFAULT' | 'CONSISTENT' | 'STALE';
export type WireSource = 'INTERNAL' | 'REFUSAL' | 'BACKEND' | 'NOT_LEADER' | 'CA';

export interface WireCaller {
  readonly token: string;
  readonly address: string;
  readonly call: string;
  readonly datacenter: string;
}
export interface WireRead {
  readonly consistency: WireConsistency;
  readonly maxStaleMs: number;
  readonly minIndex: number;
  readonly waitMs: number;
}
export interface WireRequest {
  readonly number: number;
  readonly kind: WireKind;
  readonly name: string;
  readonly arguments: Uint8Array;
  readonly caller: WireCaller;
  readonly read: WireRead | null;
  readonly forwarded: boolean;
}
export interface WireMeta {
  readonly index: number;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  readonly notFound: boolean;
}
export interface WireFailure {
  readonly source: WireSource;
  readonly code: string;
  readonly message: string;
  readonly fields: Uint8Array;
}
export interface WireAnswer {
  readonly number: number;
  readonly result: Uint8Array;
  readonly meta: WireMeta | null;
  readonly failure: WireFailure | null;
}
export interface Requests {
  readonly requests: readonly WireRequest[];
  readonly cancelled: readonly number[];
}
export interface Answers {
  readonly answers: readonly WireAnswer[];
}
export interface WireSnapshotRequest {
  readonly caller: WireCaller;
  readonly consistency: WireConsistency;
  readonly forwarded: boolean;
}
export interface WireChunk {
  readonly data: Uint8Array;
  readonly meta: WireMeta | null;
  readonly caller: WireCaller | null;
  readonly forwarded: boolean;
}

const root = protobuf.loadSync(join(packageRoot, 'proto/cluster.proto'));
const type = (name: string): protobuf.Type => root.lookupType(`heddle.cluster.v1.${name}`);

const encode = (of: protobuf.Type) => (value: object) => Buffer.from(of.encode(of.fromObject(value)).finish());
/** Numbers arrive as Long where they are 64 bits wide; they are indexes and counters, below 2^53. */
const decode = (of: protobuf.Type) => (bytes: Buffer) =>
  of.toObject(of.decode(bytes), { longs: Number, enums: String, defaults: true, arrays: true });

const method = (name: string, request: string, response: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/heddle.cluster.v1.Cluster/${name}`,
  requestStream,
  responseStream,
  requestSerialize: encode(type(request)),
  requestDeserialize: decode(type(request)),
  responseSerialize: encode(type(response)),
  responseDeserialize: decode(type(response)),
});

export const clusterService = {
  exchange: method('Exchange', 'Requests', 'Answers', true, true),
  saveSnapshot: method('SaveSnapshot', 'SnapshotRequest', 'SnapshotChunk', false, true),
  restoreSnapshot: method('RestoreSnapshot', 'SnapshotChunk', 'SnapshotRestored', true, false),
} satisfies ServiceDefinition;

const packr = new Packr({ useRecords: false, int64AsType: 'auto', copyBuffers: true } as unknown as Options);
export const pack = (value: unknown): Uint8Array => packr.pack(value);
export const unpack = (bytes: Uint8Array): unknown => (bytes.length === 0 ? undefined : packr.unpack(bytes));
