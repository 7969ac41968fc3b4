/** The port where other servers and agents reach this server: Raft and the gRPC door share it. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ConfigError } from '../config/index.ts';

export interface RpcService {
  register(server: Server): void;
}

export interface RpcServer {
  readonly port: number;
  /** Breaks what is open: whoever asked learns at once, and turns to another server. */
  stop(): void;
}

const options = {
  'grpc.max_receive_message_length': 256 * 1024 * 1024,
  'grpc.max_send_message_length': 256 * 1024 * 1024,
  'grpc.max_concurrent_streams': 100_000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

/** Port 0 is chosen by the system. Rejects with a ConfigError when the address cannot be bound. */
export async function startRpcServer(host: string, port: number, services: readonly RpcService[]): Promise<RpcServer> {
  const server = new Server(options);
  for (const service of services) service.register(server);
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, actual) =>
      error === null ? resolve(actual) : reject(new ConfigError(bindProblem(address, error.message))),
    ),
  );
  return { port: bound, stop: () => server.forceShutdown() };
}

function bindProblem(address: string, reason: string): string {
  const start = `Failed to start RPC layer: listen tcp ${address}: bind:`;
  if (!reason.includes('EADDRINUSE')) return `${start} ${reason}`;
  return `${start} address already in use (is another agent running? choose another port with -server-port)`;
}
