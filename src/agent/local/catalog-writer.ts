/** The writes of one agent about its own node, with the tokens that they need; what is refused is told. */
import type { Backend, Caller } from '../../api/backend.ts';
import { Refusal } from '../../fsm/errors.ts';
import type { HealthCheck, NodeService } from '../../structs/index.ts';

export interface NodeInfo {
  readonly id: string;
  readonly node: string;
  readonly address: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
}

export interface SyncTokens {
  /** For services and checks that brought none. */
  readonly default: string;
  /** For the node, and for taking things out. */
  readonly agent: string;
}

export interface SyncLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface WriterParts {
  readonly backend: Backend;
  readonly node: () => NodeInfo;
  readonly tokens: () => SyncTokens;
  readonly log: SyncLog;
}

export class CatalogWriter {
  readonly #parts: WriterParts;
  /** Whether the catalog has the node's own data; while it has not, they go with the next write. */
  nodeInSync = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** A refusal is told and counts as settled until the next full sync; everything else goes up. */
  async attempt(
    blocked: string,
    fields: Record<string, unknown>,
    send: () => Promise<unknown>,
  ): Promise<'sent' | 'refused'> {
    try {
      await send();
      return 'sent';
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (/Permission denied|ACL not found/.test(error.message)) this.#parts.log.warn(blocked, fields);
      else if (/Unknown (service|check)/.test(error.message)) return 'sent';
      else this.#parts.log.error('The catalog refuses a registration', { ...fields, error: error.message });
      return 'refused';
    }
  }

  async register(
    token: string,
    what: { readonly Service: NodeService | null; readonly Checks: readonly HealthCheck[] },
  ): Promise<void> {
    const { id, node, address, taggedAddresses, meta } = this.#parts.node();
    const skip = this.nodeInSync;
    await this.#parts.backend.apply(
      'catalog.register',
      {
        Datacenter: this.#parts.backend.datacenter,
        ID: id,
        Node: node,
        Address: address,
        TaggedAddresses: taggedAddresses,
        NodeMeta: meta,
        Service: what.Service,
        Check: null,
        Checks: what.Checks,
        SkipNodeUpdate: skip,
      },
      this.caller(token),
    );
    this.nodeInSync = true;
  }

  async deregister(token: string, what: { readonly ServiceID: string; readonly CheckID: string }): Promise<void> {
    const args = { Datacenter: this.#parts.backend.datacenter, Node: this.#parts.node().node, ...what };
    await this.#parts.backend.apply('catalog.deregister', args, this.caller(token === '' ? this.agentToken() : token));
  }

  tokenOf(own: string): string {
    return own === '' ? this.#parts.tokens().default : own;
  }
  agentToken(): string {
    const tokens = this.#parts.tokens();
    return tokens.agent === '' ? tokens.default : tokens.agent;
  }
  caller(token: string): Caller {
    return { token, address: '', call: 'anti-entropy', datacenter: '' };
  }
}
