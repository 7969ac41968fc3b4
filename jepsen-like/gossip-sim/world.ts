/**
 * A pool of the real SWIM core in one process under a virtual clock. One seed decides everything: who probes whom,
 * which packet is lost, who fails when. Two runs of one seed observe the same things at the same moments (`digest`).
 */

import { type GossipConfig, gossipConfig, type Profile } from '../../src/gossip/config.ts';
import type { Endpoint, Peer } from '../../src/gossip/swim/types.ts';
import type { StreamMessage } from '../../src/gossip/wire/stream.ts';
import { type Random, seededRandom } from '../../src/std/random.ts';
import { type Layer, makeCore, versions } from './core.ts';
import { EventQueue } from './event-queue.ts';
import { Judge } from './judge.ts';
import { type NetworkOptions, SimNetwork } from './network.ts';
import { simPacket } from './packet-decoder.ts';
import { SimMember, type SimWorld } from './sim-member.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly members: number;
  /** `serf` is everything; `swim` alone takes a tenth of the memory in pools of thousands. */
  readonly layer: Layer;
  /** `lan` unless said. */
  readonly profile?: Profile;
  readonly config?: Partial<GossipConfig>;
  readonly network?: Partial<NetworkOptions>;
}

const defaultNetwork: NetworkOptions = { loss: 0.01, latencyMsMin: 0.2, latencyMsMax: 2 };
const port = 7946;

export class World implements SimWorld {
  readonly members: SimMember[] = [];
  readonly judge = new Judge();
  readonly network: SimNetwork;
  readonly random: Random;
  readonly config: GossipConfig;
  /** A running hash over all observations. */
  digest = 0;
  private readonly queue = new EventQueue();
  private readonly byAddress = new Map<string, number>();
  private readonly initial: Peer[];
  readonly layer: Layer;

  constructor(options: WorldOptions) {
    this.random = seededRandom(options.seed);
    this.layer = options.layer;
    this.config = gossipConfig(options.profile ?? 'lan', options.config);
    this.network = new SimNetwork({ ...defaultNetwork, ...options.network }, this.queue, this.random.stream('network'));
    this.initial = Array.from({ length: options.members }, (_, index) => this.peer(index));
    for (let index = 0; index < options.members; index++) this.add(index, this.initial).start();
  }

  get nowMs(): number {
    return this.queue.nowMs;
  }

  get events(): number {
    return this.queue.executed;
  }

  /** Calls back now and then while virtual time passes. */
  onProgress(callback: () => void): void {
    this.queue.progress = callback;
  }

  run(milliseconds: number): void {
    this.queue.runUntil(this.nowMs + milliseconds);
  }

  /** Runs until a condition holds, looking every `stepMs`; gives the time it took, or undefined after `limitMs`. */
  runUntil(condition: () => boolean, limitMs: number, stepMs = 100): number | undefined {
    const startMs = this.nowMs;
    while (!condition()) {
      if (this.nowMs - startMs >= limitMs) return undefined;
      this.run(stepMs);
    }
    return this.nowMs - startMs;
  }

  // --- members

  private peer(index: number): Peer {
    return {
      name: `m${index}`,
      address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      port,
      incarnation: 1,
      state: 'alive',
      sinceMs: 0,
      meta: new Uint8Array(0),
      versions,
    };
  }

  private add(index: number, known: readonly Peer[]): SimMember {
    const self = this.peer(index);
    const endpoint = { address: self.address, port };
    const core = makeCore(this.layer, {
      name: self.name,
      advertise: endpoint,
      config: this.config,
      random: this.random.stream(`member-${index}`),
      known,
      observed: (what, about) => this.observed(index, self.name, what, about),
      heard: (what, about, from) => {
        this.mix(`${this.nowMs.toFixed(3)} ${self.name} ${what} ${about} ${from}`);
        this.judge.heard(what, about, from, this.nowMs);
      },
    });
    const member = new SimMember(index, { name: self.name, endpoint }, this, core);
    this.members[index] = member;
    this.byAddress.set(self.address, index);
    return member;
  }

  up(): SimMember[] {
    return this.members.filter((member) => member.state !== 'crashed');
  }

  /** A new member that knows one other. */
  arrive(): SimMember {
    const seed = this.random.stream('arrive').pick(this.up().filter((member) => member.reachable));
    const observers = this.up().map((member) => member.index);
    const member = this.add(this.members.length, []);
    this.judge.arrived(member.name, this.nowMs, observers);
    member.start();
    member.join(seed.endpoint);
    return member;
  }

  /** A member tells everybody something, and asks everybody. */
  tell(member: SimMember, name: string): void {
    this.judge.told(name, this.nowMs);
    member.tell(name);
  }

  crash(member: SimMember): void {
    member.crash();
    this.judge.gone(member.index);
    const observers = this.up().map((other) => other.index);
    this.judge.crashed(member.name, this.nowMs, observers);
  }

  // --- SimWorld

  after(afterMs: number, run: () => void): void {
    this.queue.at(this.nowMs + afterMs, run);
  }

  send(from: number, to: Endpoint, messages: readonly Uint8Array[]): void {
    const target = this.byAddress.get(to.address);
    if (target === undefined) return;
    const source = this.members[from]!.endpoint;
    const packet = simPacket(messages);
    this.network.packet(from, target, packet.bytes, () => this.members[target]!.packet(packet, source));
  }

  exchange(
    from: number,
    to: Endpoint,
    message: StreamMessage,
    timeoutMs: number,
    done: (reply?: StreamMessage) => void,
  ): void {
    const target = this.byAddress.get(to.address);
    let over = false;
    const finish = (reply?: StreamMessage): void => {
      if (over) return;
      over = true;
      done(reply);
    };
    this.after(timeoutMs, () => finish());
    if (target === undefined) return;
    this.network.stream(from, target, () => {
      const member = this.members[target]!;
      // A dead host's kernel refuses; a stopped process' kernel accepts and nobody answers.
      if (member.state === 'crashed') return finish();
      member.request(message, (reply) => void this.network.stream(target, from, () => finish(reply)));
    });
  }

  private observed(observer: number, name: string, what: 'alive' | 'dead' | 'left', about: string): void {
    this.mix(`${this.nowMs.toFixed(3)} ${name} ${what} ${about}`);
    if (what === 'alive') this.judge.observedAlive(observer, about, this.nowMs);
    else if (what === 'dead') this.judge.observedDead(observer, name, about, this.nowMs);
  }

  private mix(text: string): void {
    let hash = this.digest;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
    this.digest = hash >>> 0;
  }
}
