/**
 * A workload's client: sequential, one operation at a time, each recorded with what is certain of its outcome.
 *
 * Definite failures are only those that the server promises: it refused before proposing, or the connection was refused. A
 * time-out, a reset, an answer that leadership was lost: unknown.
 */
import type { History, Outcome } from '../history.ts';
import type { ProcessCluster } from './cluster.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Headers;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What an operation's code makes of an answer. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly output?: unknown;
  readonly error?: string;
}

const timeoutMs = 4_000;
/** Answers after which nothing was, or ever will be, applied. */
const definite = [/No cluster leader/, /No known Consul servers/, /Permission denied/, /too large/, /overloaded/i];

export class WorkloadClient {
  readonly id: number;
  readonly #cluster: ProcessCluster;
  readonly history: History;
  #server: number;

  constructor(id: number, cluster: ProcessCluster, history: History) {
    this.id = id;
    this.#cluster = cluster;
    this.history = history;
    this.#server = id % cluster.size;
  }

  /**
   * Sends one request and records it. `judge` sees answers of status 200 (and 404, 409 where it says so). `at`: it concerns this
   * server, and goes to no other.
   */
  async operate(
    op: string,
    key: string,
    input: unknown,
    { at, ...request }: Request & { at?: number },
    judge: (reply: Reply) => Verdict,
  ): Promise<Verdict> {
    const server = at ?? this.#server;
    const startMs = this.history.nowMs();
    const verdict = await this.#send(server, request, judge);
    const endMs = this.history.nowMs();
    const { outcome, output, error } = verdict;
    this.history.add({
      client: this.id,
      server,
      op,
      key,
      input,
      output,
      outcome,
      startMs,
      endMs,
      ...(error === undefined ? {} : { error }),
    });
    // A client of an unreachable server goes to the next one, as real ones do.
    if (outcome !== 'ok' && error !== undefined) this.goOn();
    return verdict;
  }

  /** The next operation goes to the next server. */
  goOn(): void {
    this.#server = (this.#server + 1) % this.#cluster.size;
  }

  /** How many servers there are. */
  get servers(): number {
    return this.#cluster.size;
  }

  /**
   * A request that is not part of the history (set-up, final reads), to any server or to the one at `at`; throws unless it is
   * answered with 200.
   */
  async plain(method: string, path: string, body?: string, at?: number): Promise<string> {
    let last = '';
    for (let tries = 0; tries < 60; tries++) {
      const server = at ?? (this.#server + tries) % this.#cluster.size;
      try {
        const reply = await this.#fetch(server, { method, path, ...(body === undefined ? {} : { body }) });
        if (reply.status === 200) return reply.body;
        last = `${reply.status} ${reply.body}`;
      } catch (error) {
        last = String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`${method} ${path}: no server answered it: ${last}`);
  }

  async #send(server: number, request: Request, judge: (reply: Reply) => Verdict): Promise<Verdict> {
    let reply: Reply;
    try {
      reply = await this.#fetch(server, request);
    } catch (error) {
      const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name;
      return { outcome: cause === 'ECONNREFUSED' ? 'fail' : 'unknown', error: cause };
    }
    if (reply.status >= 500 || reply.status === 429) {
      const certain =
        reply.status === 429 || reply.status === 503 || definite.some((pattern) => pattern.test(reply.body));
      return {
        outcome: certain || request.method === 'GET' ? 'fail' : 'unknown',
        error: `${reply.status} ${reply.body.slice(0, 120)}`,
      };
    }
    return judge(reply);
  }

  async #fetch(server: number, { method, path, body }: Request): Promise<Reply> {
    const response = await fetch(`http://${this.#cluster.target(server)}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, body: new TextDecoder().decode(bytes), bytes, headers: response.headers };
  }
}
