/**
 * The command line's only way to the cluster: an agent's HTTP API, found as other tools of the field find it (flag, then
 * HEDDLE_* and CONSUL_* variables, then 127.0.0.1:8500).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';

export interface ClientSettings {
  /** `host:port`, `http://…`, `https://…` or `unix:///path`. */
  readonly address: string;
  readonly token: string;
  readonly tls: boolean;
  readonly caFile: string;
  readonly caPath: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly serverName: string;
  readonly verify: boolean;
  /** `user:password` for a proxy in front of the agent; '' for none. */
  readonly basicAuth: string;
  readonly datacenter: string;
  readonly stale: boolean;
  readonly namespace: string;
}

export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ApiRequest {
  readonly query?: QueryParameters;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** An answer that is not the expected one: the text that tools of the field print. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`Unexpected response code: ${status}${body === '' ? '' : ` (${body})`}`);
    this.status = status;
    this.body = body;
  }
}

export class ApiClient {
  readonly settings: ClientSettings;
  readonly #tls: RequestOptions;

  /** Reads the TLS files even where nothing will be encrypted: a wrong path is said before anything is sent. */
  constructor(settings: ClientSettings) {
    this.settings = settings;
    this.#tls = tlsOptions(settings);
  }

  /** Any answer, whatever its status. Throws only when there is none. */
  async send(method: string, path: string, options: ApiRequest = {}): Promise<ApiResponse> {
    const response = await this.open(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  /** The answer's body; throws ApiError unless it is 200. */
  async expect(method: string, path: string, options: ApiRequest = {}): Promise<Buffer> {
    const { status, body } = await this.send(method, path, options);
    if (status !== 200) throw new ApiError(status, body.toString('utf8'));
    return body;
  }

  async json<T>(method: string, path: string, options: ApiRequest = {}): Promise<T> {
    return JSON.parse((await this.expect(method, path, options)).toString('utf8')) as T;
  }

  /** The answer as a stream, for bodies that must not be held in memory. */
  async open(method: string, path: string, options: ApiRequest = {}): Promise<IncomingMessage> {
    const target = this.#target();
    const fullPath = path + this.#queryString(options.query ?? {});
    const headers: Record<string, string> = { ...options.headers };
    if (this.settings.token !== '') headers['X-Consul-Token'] = this.settings.token;
    if (this.settings.basicAuth !== '') {
      headers.Authorization = `Basic ${Buffer.from(this.settings.basicAuth).toString('base64')}`;
    }
    const requestOptions: RequestOptions = {
      ...target.options,
      method,
      path: fullPath,
      headers,
      signal: options.signal,
    };
    const secure = target.secure ? this.#tls : undefined;
    const send = secure === undefined ? httpRequest : (await import('node:https')).request;
    return new Promise((resolve, reject) => {
      const request = send({ ...requestOptions, ...secure }, resolve);
      request.once('error', (error: NodeJS.ErrnoException) =>
        reject(new Error(connectionText(method, target.shown + fullPath, target.dialed, error), { cause: error })),
      );
      if (options.body !== undefined) request.setHeader('Content-Length', Buffer.byteLength(options.body));
      request.end(options.body);
    });
  }

  #target(): { options: RequestOptions; secure: boolean; shown: string; dialed: string } {
    let address = this.settings.address;
    let secure = this.settings.tls;
    const scheme = /^([a-z]+):\/\//.exec(address)?.[1];
    if (scheme === 'unix') {
      const socketPath = address.slice('unix://'.length);
      return { options: { socketPath }, secure: false, shown: 'http://127.0.0.1', dialed: `unix ${socketPath}` };
    }
    if (scheme === 'https') secure = true;
    if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
      throw new Error(`Unknown protocol scheme: ${scheme}`);
    if (scheme !== undefined) address = address.slice(scheme.length + 3);
    const slash = address.indexOf('/');
    if (slash >= 0) address = address.slice(0, slash);
    const { host, port } = splitHostPort(address, secure ? 443 : 80);
    const shown = `${secure ? 'https' : 'http'}://${address}`;
    return {
      options: { host, port, agent: false },
      secure,
      shown,
      dialed: `tcp ${host.includes(':') ? `[${host}]` : host}:${port}`,
    };
  }

  #queryString(query: QueryParameters): string {
    const parameters = new URLSearchParams();
    const add = (name: string, value: string): void => parameters.append(name, value);
    if (this.settings.datacenter !== '') add('dc', this.settings.datacenter);
    if (this.settings.stale) add('stale', '');
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      if (typeof value === 'string') add(name, value);
      else for (const item of value) add(name, item);
    }
    parameters.sort();
    const text = parameters.toString();
    return text === '' ? '' : `?${text}`;
  }
}

function tlsOptions({ caFile, caPath, certFile, keyFile, serverName, verify }: ClientSettings): RequestOptions {
  const ca = caFile === '' ? [] : [load('CA File', caFile)];
  if (caPath !== '') for (const name of namesIn(caPath)) ca.push(load('CA File', `${caPath}/${name}`));
  return {
    ...(ca.length > 0 ? { ca } : {}),
    ...(certFile !== '' ? { cert: load('client certificate', certFile) } : {}),
    ...(keyFile !== '' ? { key: load('client key', keyFile) } : {}),
    ...(serverName !== '' ? { servername: serverName } : {}),
    rejectUnauthorized: verify,
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new Error(`Error connecting to Heddle agent: Error loading CA path: ${fileErrorText(folder, error)}`);
  }
}

export function splitHostPort(address: string, defaultPort: number): { host: string; port: number } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(address);
  if (match === null) return { host: address, port: defaultPort };
  const host = match[1]!.replace(/^\[|\]$/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port: match[2] === undefined ? defaultPort : Number(match[2]) };
}

function load(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`Error connecting to Heddle agent: Error loading ${what}: ${fileErrorText(path, error)}`);
  }
}

/** `open x: no such file or directory`, as tools of the field word it. */
export function fileErrorText(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return `open ${path}: no such file or directory`;
  if (code === 'EACCES') return `open ${path}: permission denied`;
  if (code === 'EISDIR') return `read ${path}: is a directory`;
  return `open ${path}: ${(error as Error).message}`;
}

function connectionText(method: string, url: string, dialed: string, error: NodeJS.ErrnoException): string {
  const verb = method[0] + method.slice(1).toLowerCase();
  const reason =
    error.code === 'ECONNREFUSED'
      ? `dial ${dialed}: connect: connection refused`
      : error.code === 'ENOTFOUND'
        ? `dial ${dialed.replace(/:\d+$/, '')}: no such host`
        : error.code === 'ENOENT'
          ? `dial ${dialed}: connect: no such file or directory`
          : error.code === 'ECONNRESET'
            ? 'EOF'
            : /wrong version number/.test(error.message)
              ? 'http: server gave HTTP response to HTTPS client'
              : error.message;
  return `${verb} "${url}": ${reason}`;
}
