/**
 * The write that both systems are measured with. Each client has a key of its own, and every request changes its value: a set that
 * changes nothing moves no index here, and would cost less than a change.
 */
import { grpcBody } from './raw-grpc.ts';
import type { RawRequest } from './raw-http.ts';

/** 64 bytes. */
export const heddlePut: RawRequest = { method: 'PUT', path: '/v1/kv/bench/{client}', body: `${'x'.repeat(56)}{n}` };

/** Over the JSON gateway, 63 bytes: key and value travel in base64, of which any four digits are three bytes. */
export const etcdPut: RawRequest = {
  method: 'POST',
  path: '/v3/kv/put',
  body: JSON.stringify({ key: `${base64('bench/')}{client}`, value: `${base64('x'.repeat(57))}{n}` }),
};

/** Over etcd's own gRPC: a PutRequest of key (field 1) and value (field 2), 64 bytes. */
export const etcdGrpcPut: RawRequest = {
  method: 'POST',
  path: '/etcdserverpb.KV/Put',
  body: grpcBody(`\x0a\x0abench/{client}\x12\x40${'x'.repeat(56)}{n}`, 2 + 10 + 2 + 64),
};

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
