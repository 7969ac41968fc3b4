/** Asks a gRPC server with the standard health service. Target: `host:port`, or `host:port/service`. */
import { dialError, plain } from './net-errors.ts';
import type { Probe } from './periodic.ts';
import type { Outcome } from './runner.ts';

export interface GrpcTarget {
  readonly target: string;
  readonly timeoutMs: number;
  readonly tls: boolean;
  readonly serverName: string;
  readonly skipVerify: boolean;
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
const servingStatus = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

export function grpcProbe(target: GrpcTarget): Probe {
  return async (signal) => {
    // Loaded with the first check that needs it: it takes longer than the rest of the agent.
    const grpc = await import('@grpc/grpc-js');
    const slash = target.target.indexOf('/');
    const address = slash < 0 ? target.target : target.target.slice(0, slash);
    const service = slash < 0 ? '' : target.target.slice(slash + 1);
    const credentials = target.tls
      ? grpc.credentials.createSsl(null, null, null, {
          rejectUnauthorized: !target.skipVerify,
          ...(target.skipVerify ? { checkServerIdentity: () => undefined } : {}),
        })
      : grpc.credentials.createInsecure();
    const client = new grpc.Client(address, credentials, {
      ...(target.serverName === '' ? {} : { 'grpc.ssl_target_name_override': target.serverName }),
    });
    const abort = (): void => client.close();
    signal.addEventListener('abort', abort);
    try {
      const status = await new Promise<number>((resolve, reject) => {
        client.makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          (name: string) => Buffer.from(encodeRequest(name)),
          (bytes: Buffer) => decodeResponse(bytes),
          service,
          { deadline: Date.now() + target.timeoutMs },
          (error, value) => (error === null ? resolve(value ?? 0) : reject(error)),
        );
      });
      return verdict(target.target, status);
    } catch (error) {
      return { status: 'critical', output: rpcError(error, address, grpc.status) };
    } finally {
      signal.removeEventListener('abort', abort);
      client.close();
    }
  };
}

function verdict(target: string, status: number): Outcome {
  if (status === 1) return { status: 'passing', output: `gRPC check ${target}: success` };
  return { status: 'critical', output: `gRPC ${target} serving status: ${servingStatus[status] ?? status}` };
}

/** `string service = 1`. */
function encodeRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  if (name.length === 0) return new Uint8Array();
  const length = [];
  for (let rest = name.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** `ServingStatus status = 1`; a default value is not on the wire. */
function decodeResponse(bytes: Uint8Array): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}

function rpcError(error: unknown, address: string, codes: Readonly<Record<number, string>>): string {
  const { code = 2, details = plain(error) } = error as { code?: number; details?: string };
  const name = (codes[code] ?? 'UNKNOWN')
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_, _bar: string, letter: string) => letter.toUpperCase());
  if (code !== 14) return `rpc error: code = ${name} desc = ${details}`;
  const reason = /E[A-Z]{4,}/.exec(details)?.[0];
  const dial = reason === undefined ? details : dialError({ code: reason }, address);
  return `rpc error: code = ${name} desc = all SubConns are in TransientFailure, latest connection error: connection error: desc = "transport: Error while dialing ${dial}"`;
}
