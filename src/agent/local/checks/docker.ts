/**
 * Runs a program inside of a container: exit 0 passes, 1 warns, everything else is critical. Speaks to the Docker engine at
 * DOCKER_HOST (`unix:///var/run/docker.sock` by default, or `tcp://host:port`).
 */
import http from 'node:http';
import { plain } from './net-errors.ts';
import { TailBuffer } from './output.ts';
import type { Probe } from './periodic.ts';

export interface DockerTarget {
  readonly container: string;
  readonly shell: string;
  readonly args: readonly string[];
  readonly outputBytesMax: number;
  /** As in DOCKER_HOST. */
  readonly host: string;
}

const api = '/v1.24';

export function dockerProbe(target: DockerTarget): Probe {
  return async (signal) => {
    try {
      const id = await createExec(target, signal);
      const output = await startExec(target, id, signal);
      const code = await exitCode(target, id, signal);
      return { status: code === 0 ? 'passing' : code === 1 ? 'warning' : 'critical', output };
    } catch (error) {
      return { status: 'critical', output: plain(error) };
    }
  };
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

async function createExec(target: DockerTarget, signal: AbortSignal): Promise<string> {
  const command = target.shell === '' ? target.args : [target.shell, '-c', target.args.join(' ')];
  const path = `/containers/${encodeURIComponent(target.container)}/exec`;
  const reply = await call(target, 'POST', path, signal, {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
    Cmd: command,
  });
  if (reply.status === 201) return String((JSON.parse(reply.body.toString()) as { Id: string }).Id);
  if (reply.status === 404) throw new Error(`create exec failed for unknown container ${target.container}`);
  if (reply.status === 409) {
    throw new Error(`create exec failed since container ${target.container} is paused or stopped`);
  }
  throw new Error(`create exec failed for container ${target.container} with status ${reply.status}: ${reply.body}`);
}

async function startExec(target: DockerTarget, id: string, signal: AbortSignal): Promise<string> {
  const tail = new TailBuffer(target.outputBytesMax);
  const reply = await call(target, 'POST', `/exec/${id}/start`, signal, { Detach: false, Tty: true }, tail);
  if (reply.status === 200) return tail.text();
  throw new Error(`start exec failed for container ${target.container} with status ${reply.status}: ${tail.text()}`);
}

async function exitCode(target: DockerTarget, id: string, signal: AbortSignal): Promise<number> {
  const reply = await call(target, 'GET', `/exec/${id}/json`, signal);
  if (reply.status !== 200) {
    throw new Error(`inspect exec failed for container ${target.container} with status ${reply.status}: ${reply.body}`);
  }
  return Number((JSON.parse(reply.body.toString()) as { ExitCode: number }).ExitCode);
}

function call(
  target: DockerTarget,
  method: string,
  path: string,
  signal: AbortSignal,
  body?: object,
  sink?: TailBuffer,
): Promise<Reply> {
  const place = target.host.startsWith('unix://')
    ? { socketPath: target.host.slice('unix://'.length) }
    : {
        host: new URL(target.host.replace(/^tcp:/, 'http:')).hostname,
        port: new URL(target.host.replace(/^tcp:/, 'http:')).port,
      };
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        ...place,
        method,
        path: api + path,
        signal,
        agent: false,
        headers:
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => (sink === undefined ? chunks.push(chunk) : sink.write(chunk)));
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}
