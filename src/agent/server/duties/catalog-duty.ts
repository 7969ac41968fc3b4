/**
 * Keeps the catalog as gossip sees the members: at the start of a leadership, on every change of a member, and in a pass
 * every 60 seconds that repairs what was missed. What to write is decided in ../../membership/.
 */

import { type HealthCheck, healthCheck, type NodeService, nodeService } from '../../../structs/index.ts';
import {
  type CatalogView,
  type MemberChange,
  reapedNodes,
  reconcileMember,
  serfHealth,
  serfHealthName,
} from '../../membership/reconcile.ts';
import type { PoolMember } from '../../membership/tags.ts';
import type { DutyServer } from './duty-server.ts';

/** The LAN pool as this server sees it, itself included. */
export interface MemberSource {
  members(): readonly PoolMember[];
  /** Calls back when a member joined, changed, failed, left or was reaped. Returns a cancel. */
  onChange(callback: () => void): () => void;
}

const passMs = 60_000;
const call = 'leader/reconcile';

export class CatalogDuty {
  readonly #server: DutyServer;
  readonly #members: MemberSource;
  #cancels: (() => void)[] = [];
  #running = false;
  #again = false;
  #active = false;

  constructor(server: DutyServer, members: MemberSource) {
    this.#server = server;
    this.#members = members;
  }

  start(): void {
    this.#active = true;
    this.#cancels = [this.#members.onChange(() => this.#pass())];
    this.#pass();
  }

  stop(): void {
    this.#active = false;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }

  /** One pass at a time; what changes meanwhile has another one follow. */
  #pass(): void {
    if (!this.#active) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#reconcile().finally(() => {
      this.#running = false;
      const again = this.#again;
      this.#again = false;
      if (again) this.#pass();
      else this.#later();
    });
  }

  #later(): void {
    if (!this.#active) return;
    const [onChange, timer] = this.#cancels;
    timer?.();
    this.#cancels = [onChange!, this.#server.clock.after(passMs, () => this.#pass())];
  }

  async #reconcile(): Promise<void> {
    const own = { name: this.#server.nodeName, datacenter: this.#server.datacenter };
    const members = this.#members.members();
    for (const member of members) {
      if (!this.#active) return;
      await this.#carryOut(reconcileMember(member, this.#catalogOf(member), own), member);
    }
    const names = new Set(members.map((member) => member.name));
    const checks = this.#server.view().table('checks').range([]);
    for (const node of reapedNodes(checks, names, this.#server.nodeName)) {
      if (this.#active) await this.#carryOut({ kind: 'deregister', node }, undefined);
    }
  }

  #catalogOf(member: PoolMember): CatalogView {
    const tx = this.#server.view();
    return {
      node: tx.table('nodes').get([member.name]),
      serfHealth: tx.table('checks').get([member.name, serfHealth]),
      consulService: tx.table('services').get([member.name, 'consul']),
    };
  }

  async #carryOut(change: MemberChange, member: PoolMember | undefined): Promise<void> {
    try {
      if (change.kind === 'register') await this.#register(change, member!);
      else if (change.kind === 'deregister') {
        const args = { Datacenter: '', Node: change.node, ServiceID: '', CheckID: '' };
        await this.#server.write('catalog.deregister', args, call);
      }
    } catch (error) {
      // The next pass tries again; a name that another node holds needs an operator, who finds this line.
      this.#server.warn('a member could not be reconciled', { node: member?.name, error: String(error) });
    }
  }

  async #register(change: Extract<MemberChange, { kind: 'register' }>, member: PoolMember): Promise<void> {
    const before = this.#server.view().table('nodes').get([change.node]);
    const service = change.server === undefined ? null : consulService(change, change.server.rpcPort);
    const request = {
      Datacenter: this.#server.datacenter,
      ID: change.id,
      Node: change.node,
      Address: change.address,
      TaggedAddresses: before?.TaggedAddresses ?? null,
      NodeMeta: before?.Meta ?? null,
      Service: service,
      Check: serfHealthCheck(change, member.name),
      Checks: null,
      SkipNodeUpdate: change.skipNodeUpdate,
    };
    await this.#server.write('catalog.register', request, call);
  }
}

function consulService(change: Extract<MemberChange, { kind: 'register' }>, port: number): NodeService {
  return {
    ...nodeService.zero(),
    ID: 'consul',
    Service: 'consul',
    Tags: [],
    Meta: change.serviceMeta,
    Port: port,
    Weights: { Passing: 1, Warning: 1 },
  };
}

function serfHealthCheck(change: Extract<MemberChange, { kind: 'register' }>, node: string): HealthCheck {
  return {
    ...healthCheck.zero(),
    Node: node,
    CheckID: serfHealth,
    Name: serfHealthName,
    Status: change.status,
    Output: change.output,
  };
}
