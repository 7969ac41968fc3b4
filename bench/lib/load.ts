/**
 * Closed-loop load: N clients, each sends its next request when the last was answered. Runs in a child process of its own
 * (`runLoad`), so that the generator's work is not measured as the server's and both use a core.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RawGrpcClient } from './raw-grpc.ts';
import { RawClient, type RawRequest } from './raw-http.ts';

export interface Load {
  /** `host:port`; clients are spread over them in turn. */
  readonly targets: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  /** Ends after so many requests, if the seconds are not over before. */
  readonly requests?: number;
  /** Not counted, ms. */
  readonly warmupMs: number;
  /** `{client}` and `{n}` in path and body are replaced by the client's number, in four digits, and its request's number, in eight. */
  readonly request: RawRequest;
  /** HTTP/1.1 unless said. */
  readonly protocol?: 'grpc';
  /** Statuses that count as an answer; 200 unless said. */
  readonly accept?: readonly number[];
}

export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly firstError: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Runs a load in a child process and gives its figures. */
export function runLoad(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--load'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('message', (message) => {
      child.disconnect();
      resolve(message as LoadResult);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
    child.send(load);
  });
}

async function generate(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const accepted = new Set(load.accept ?? [200]);
  let errors = 0;
  let firstError = '';
  const clients = await Promise.all(
    Array.from({ length: load.clients }, (_, i) => {
      const [host, port] = load.targets[i % load.targets.length]!.split(':') as [string, string];
      const { open } = load.protocol === 'grpc' ? RawGrpcClient : RawClient;
      return open(host, Number(port));
    }),
  );
  const start = performance.now();
  const counted = start + load.warmupMs;
  const end = counted + load.seconds * 1000;
  const fill = (text: string, client: number, n: number): string =>
    text.replaceAll('{client}', String(client).padStart(4, '0')).replaceAll('{n}', String(n).padStart(8, '0'));
  const { path, body } = load.request;
  let left = load.requests ?? Number.POSITIVE_INFINITY;
  const moving = path.includes('{') || (typeof body === 'string' && body.includes('{'));
  await Promise.all(
    clients.map(async (client, i) => {
      for (let n = 0; ; n++) {
        const sent = performance.now();
        if (sent >= end || left-- <= 0) return;
        const request = moving
          ? { ...load.request, path: fill(path, i, n), ...(typeof body === 'string' ? { body: fill(body, i, n) } : {}) }
          : load.request;
        try {
          const { status, body: answer } = await client.request(request);
          const now = performance.now();
          if (accepted.has(status)) {
            if (sent >= counted) latencies.push(now - sent);
          } else {
            errors++;
            firstError ||= `${status} ${answer.toString('utf8', 0, 200)}`;
          }
        } catch (error) {
          errors++;
          firstError ||= String(error);
          return;
        }
      }
    }),
  );
  for (const client of clients) client.close();
  const took = (performance.now() - counted) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return {
    requests: latencies.length,
    errors,
    firstError,
    perSecond: latencies.length / took,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

if (process.argv.includes('--load') && process.send !== undefined) {
  process.once('message', async (load) => {
    const result = await generate(load as Load);
    process.send!(result);
  });
}
