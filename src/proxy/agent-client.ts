/**
 * A small HTTP client for one agent's API: keep-alive, JSON in and out, TLS or a unix socket when the address says so.
 * The data plane depends on nothing else of the control plane, so any agent that answers Consul's API will do.
 */
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { ProxyError } from './errors.ts';

export interface AgentClientOptions {
  /** `host:port`, `http://host:port`, `https://host:port` (with an optional path prefix) or `unix:///path`. */
  readonly address: string;
  readonly token?: string | undefined;
  readonly datacenter?: string | undefined;
  /** PEM files and names for an `https` address. */
  readonly caFile?: string | undefined;
  /** A folder of PEM files, in place of one file. */
  readonly caPath?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
  /** `user:password` for a proxy in front of the agent. */
  readonly basicAuth?: string | undefined;
  /** Off only where the operator said so (`CONSUL_HTTP_SSL_VERIFY=false`). */
  readonly verify?: boolean | undefined;
}

export interface AgentAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface AgentRequest {
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Limit for the whole exchange. Default 30 s. */
  readonly timeoutMs?: number | undefined;
}

/** Bodies beyond this are refused: an agent's answers to a sidecar are far smaller. */
const bodyBytesMax = 64 * 1024 * 1024;

export class AgentClient {
  readonly #options: AgentClientOptions;
  readonly #target: http.RequestOptions;
  readonly #prefix: string;
  readonly #module: Pick<typeof http, 'request'>;
  readonly #agent: http.Agent;

  constructor(options: AgentClientOptions) {
    this.#options = options;
    const { secure, prefix, target } = parseAddress(options.address);
    this.#target = target;
    this.#prefix = prefix;
    this.#module = secure ? https : http;
    // A long poll holds its connection for minutes; none may wait for another, so there is no socket limit.
    const keepAlive = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 8 };
    this.#agent = secure ? new https.Agent({ ...keepAlive, ...tlsOptions(options) }) : new http.Agent(keepAlive);
  }

  /** The address as given, for logs. */
  get address(): string {
    return this.#options.address;
  }

  /** One exchange. Throws `agent_unreachable`; any status is an answer. */
  async request(method: string, path: string, request: AgentRequest = {}): Promise<AgentAnswer> {
    try {
      return await this.#exchange(method, path, request);
    } catch (error) {
      if (error instanceof ProxyError) throw error;
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new ProxyError('agent_unreachable', `${method} ${path}: ${reason}`, { path, reason }, { cause: error });
    }
  }

  /** As `request`, but anything outside 2xx is an error with the status and the body's text. */
  async ask(method: string, path: string, request: AgentRequest = {}): Promise<AgentAnswer> {
    const answer = await this.request(method, path, request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new ProxyError('agent_status', `Unexpected response code: ${answer.status} (${answer.body.trim()})`, {
      path,
      status: answer.status,
    });
  }

  /** Closes idle and busy connections; requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #exchange(method: string, path: string, request: AgentRequest): Promise<AgentAnswer> {
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string | number> = {};
    const token = request.token ?? this.#options.token;
    if (token !== undefined && token !== '') headers['X-Consul-Token'] = token;
    if (payload !== undefined) {
      headers['Content-Type'] = 'application/json';
      headers['Content-Length'] = Buffer.byteLength(payload);
    }
    const { signal, timeoutMs = 30_000 } = request;
    return new Promise<AgentAnswer>((resolve, reject) => {
      const outgoing = this.#module.request(
        {
          ...this.#target,
          method,
          path: this.#path(path, request.query),
          headers,
          agent: this.#agent,
          auth: this.#options.basicAuth,
          signal,
        },
        (incoming) => collect(incoming).then(resolve, reject),
      );
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on('error', reject);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.end(payload);
    });
  }

  #path(path: string, query: AgentRequest['query']): string {
    const search = new URLSearchParams();
    if (this.#options.datacenter !== undefined) search.set('dc', this.#options.datacenter);
    for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, value);
    const text = search.toString();
    return `${this.#prefix}${path}${text === '' ? '' : `?${text}`}`;
  }
}

async function collect(incoming: http.IncomingMessage): Promise<AgentAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) {
      incoming.destroy();
      throw new ProxyError('agent_answer_malformed', `the answer is longer than ${bodyBytesMax} bytes`, {});
    }
    chunks.push(chunk);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') };
}

function parseAddress(address: string): { secure: boolean; prefix: string; target: http.RequestOptions } {
  if (address.startsWith('unix://')) {
    return { secure: false, prefix: '', target: { socketPath: address.slice('unix://'.length) } };
  }
  const text = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}`;
  if (!URL.canParse(text)) throw new ProxyError('invalid_config', `Invalid agent address: ${address}`, { address });
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const scheme = url.protocol.slice(0, -1);
    throw new ProxyError('invalid_config', `Unknown protocol scheme: ${scheme}`, { address });
  }
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  return { secure, prefix: url.pathname.replace(/\/+$/, ''), target: { host, port } };
}

function tlsOptions(options: AgentClientOptions): https.AgentOptions {
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  const { caPath } = options;
  const folder = caPath === undefined ? undefined : readdirSync(caPath).map((name) => readFileSync(join(caPath, name)));
  return {
    ca: file(options.caFile) ?? folder,
    cert: file(options.certFile),
    key: file(options.keyFile),
    servername: options.serverName,
    rejectUnauthorized: options.verify ?? true,
  };
}
