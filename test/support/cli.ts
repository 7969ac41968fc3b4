/** Runs the command line in-process against an agent that answers as a test says. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { main } from '../../src/cli/main.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export interface Reply {
  readonly status?: number;
  readonly body?: string | Uint8Array;
}

export interface FakeAgent {
  readonly address: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** `answer` gets each request; what it does not know it answers with 404. */
export async function fakeAgent(answer: (asked: Asked) => Reply | undefined): Promise<FakeAgent> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method!,
        url: request.url!,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      const reply = answer(one) ?? { status: 404 };
      response.writeHead(reply.status ?? 200).end(reply.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export async function heddle(argv: readonly string[], env: Record<string, string> = {}, stdin = ''): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await main({
    argv,
    env,
    signal: new AbortController().signal,
    io: {
      out: (text) => void out.push(`${text}\n`),
      error: (text) => void err.push(`${text}\n`),
      write: (data) => void out.push(typeof data === 'string' ? data : Buffer.from(data).toString()),
      readStdin: () => Promise.resolve(Buffer.from(stdin)),
    },
  });
  return { exit, out: out.join(''), err: err.join('') };
}
