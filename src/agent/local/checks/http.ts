/** Asks an HTTP server: 2xx passes, 429 warns, everything else is critical. */
import http from 'node:http';
import https from 'node:https';
import { dialError, plain, tlsError } from './net-errors.ts';
import { TailBuffer } from './output.ts';
import type { Probe } from './periodic.ts';
import type { Outcome } from './runner.ts';

export interface HttpTarget {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  readonly followRedirects: boolean;
  readonly serverName: string;
  readonly skipVerify: boolean;
}

const redirectsMax = 10;

export function httpProbe(target: HttpTarget): Probe {
  return async (signal) => {
    const timeout = AbortSignal.timeout(target.timeoutMs);
    const either = AbortSignal.any([signal, timeout]);
    const method = target.method === '' ? 'GET' : target.method.toUpperCase();
    try {
      return await follow(target, { method, url: readUrl(target.url) }, either);
    } catch (error) {
      const shown = error instanceof TargetError ? error.message : requestError(error, method, target.url, timeout);
      return { status: 'critical', output: shown };
    }
  };
}

class TargetError extends Error {}

function readUrl(text: string): URL {
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text);
  if (badEscape !== null)
    throw new TargetError(`parse ${JSON.stringify(text)}: invalid URL escape ${JSON.stringify(badEscape[0])}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TargetError(`Get ${JSON.stringify(text)}: unsupported protocol scheme ""`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TargetError(
      `Get ${JSON.stringify(text)}: unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`,
    );
  }
  return url;
}

interface Step {
  readonly method: string;
  readonly url: URL;
}

async function follow(target: HttpTarget, first: Step, signal: AbortSignal): Promise<Outcome> {
  let step = first;
  for (let redirects = 0; ; redirects++) {
    const response = await send(target, step, signal);
    const code = response.statusCode!;
    const location = response.headers.location;
    if (target.followRedirects && isRedirect(code) && location !== undefined) {
      response.destroy();
      if (redirects >= redirectsMax) {
        throw new TargetError(`Get ${JSON.stringify(location)}: stopped after ${redirectsMax} redirects`);
      }
      const keepsMethod = code === 307 || code === 308;
      step = { url: new URL(location, step.url), method: keepsMethod || step.method === 'HEAD' ? step.method : 'GET' };
      continue;
    }
    const tail = new TailBuffer(target.outputBytesMax);
    for await (const chunk of response as AsyncIterable<Buffer>) tail.write(chunk);
    const output = `HTTP ${first.method} ${target.url}: ${code} ${response.statusMessage} Output: ${tail.tail()}`;
    return { status: code >= 200 && code < 300 ? 'passing' : code === 429 ? 'warning' : 'critical', output };
  }
}

const isRedirect = (code: number): boolean => [301, 302, 303, 307, 308].includes(code);

function send(target: HttpTarget, { method, url }: Step, signal: AbortSignal): Promise<http.IncomingMessage> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(target.headers)) headers[name.toLowerCase()] = [...values];
  headers['user-agent'] ??= 'Consul Health Check';
  headers.accept ??= 'text/plain, text/*, */*';
  if (Array.isArray(headers.host)) headers.host = headers.host[0]!;
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(
      url,
      {
        method,
        headers,
        agent: false,
        signal,
        ...(secure
          ? {
              rejectUnauthorized: !target.skipVerify,
              ...(target.serverName === '' ? {} : { servername: target.serverName }),
            }
          : {}),
      },
      resolve,
    );
    request.on('error', reject);
    request.end(target.body === '' ? undefined : target.body);
  });
}

function requestError(error: unknown, method: string, url: string, timeout: AbortSignal): string {
  const verb = method[0]! + method.slice(1).toLowerCase();
  const head = `${verb} ${JSON.stringify(url)}: `;
  if (timeout.aborted) return `${head}context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  const { syscall, code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === 'connect' || syscall === 'getaddrinfo') {
    return head + dialError(error, address === undefined ? new URL(url).host : `${address}:${port}`);
  }
  if (code === 'ECONNRESET') return `${head}EOF`;
  if (url.startsWith('https:')) return head + tlsError(error);
  return head + plain(error);
}
