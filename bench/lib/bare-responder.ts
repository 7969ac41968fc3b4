/**
 * The peer of every read benchmark: a bare `node:http` server that answers each request with the same bytes, in a process of
 * its own. What a door costs is measured against it, in the same run.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

export interface BareResponder {
  readonly target: string;
  readonly pid: number;
  stop(): void;
}

/** Answers with `body` as application/json on a free port of `host`. */
export function startBareResponder(host: string, body: string): Promise<BareResponder> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--bare', host], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.once('error', reject);
    child.once('message', (port) =>
      resolve({ target: `${host}:${port}`, pid: child.pid!, stop: () => void child.kill('SIGKILL') }),
    );
    child.send(body);
  });
}

if (process.argv.includes('--bare') && process.send !== undefined) {
  process.once('message', (body) => {
    const bytes = Buffer.from(body as string);
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
      response.end(bytes);
    });
    server.listen(0, process.argv[3], () => process.send!((server.address() as { port: number }).port));
  });
}
