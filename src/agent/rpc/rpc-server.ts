/** The port where other servers and agents reach this server: Raft and the gRPC door share it. */
import { Server, ServerCredentials } from '@grpc/grpc-js';

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

/** Port 0 is chosen by the system. Rejects when the address cannot be bound. */
export async function startRpcServer(host: string, port: number, services: readonly RpcService[]): Promise<RpcServer> {
  const server = new Server(options);
  for (const service of services) service.register(server);
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, actual) =>
      error === null ? resolve(actual) : reject(new Error(`the RPC port ${address} cannot be bound: ${error.message}`)),
    ),
  );
  return { port: bound, stop: () => server.forceShutdown() };
}
