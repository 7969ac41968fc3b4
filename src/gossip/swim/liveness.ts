/**
 * What the pool believes about each member, and how beliefs change (SWIM §4.2). Three messages compete, and the
 * incarnation decides: alive overrides with a higher one, suspect and dead with an equal or higher one. Only the member
 * itself raises its incarnation, to refute an accusation.
 *
 *     alive ──suspect──> suspect ──timer, or dead──> dead
 *       ^                   │                         │
 *       └──alive, higher incarnation (refutation)─────┘         left: dead by its own word
 */
import { nameBytesMax } from '../wire/limits.ts';
import { type Alive, type Dead, encodeMessage, type Message, type Suspect } from '../wire/messages.ts';
import type { SwimContext, SwimTimer } from './context.ts';
import { Suspicion, suspicionBounds } from './suspicion.ts';
import {
  type Incarnation,
  isGone,
  type Peer,
  sameBytes,
  type Versions,
  versionsFromBytes,
  versionsToBytes,
} from './types.ts';

/** An accusation above this could not be refuted: the incarnation is 32 bits wide. Only a forger gets there. */
const incarnationMax = 0xffff_fff0;

export class Liveness {
  private readonly context: SwimContext;
  private readonly suspicions = new Map<string, Suspicion>();
  /** Members that say they are one of these, come back at another address; by name. */
  private readonly successors = new Map<string, Alive>();
  private suspicionId = 0;
  private incarnation: Incarnation = 0;

  constructor(context: SwimContext) {
    this.context = context;
  }

  self(): Peer {
    return this.context.table.get(this.context.name)!;
  }

  /** Goes on from the record of ourselves in the table. */
  adopt(): void {
    this.incarnation = this.self().incarnation;
  }

  /** The member announces itself, at start and whenever its meta changes: same path, next incarnation. */
  announce(meta: Uint8Array, versions: Versions, token?: string): void {
    const { context } = this;
    this.incarnation++;
    const known = context.table.get(context.name);
    const self: Peer = {
      name: context.name,
      ...context.advertise,
      meta,
      versions,
      incarnation: this.incarnation,
      state: 'alive',
      sinceMs: known?.sinceMs ?? context.nowMs,
    };
    context.table.set(self);
    if (known === undefined) context.delegate.joined(self);
    else if (!sameBytes(known.meta, meta)) context.delegate.updated(self);
    this.broadcastSelf(self, token);
  }

  alive(message: Alive): void {
    const { context } = this;
    const { table, counters } = context;
    const isSelf = message.Node === context.name;
    if (isSelf && context.leaving) return;
    const known = table.get(message.Node);
    if (!isSelf && known !== undefined && isOldNews(message, known)) return counters.add('droppedStale');
    const claimed = this.peerFromAlive(message);
    if (claimed === undefined) return;
    if (known === undefined) {
      // Incarnations start at 1; 0 would insert a member that can never come alive.
      if (message.Incarnation === 0) return counters.add('droppedStale');
      return this.accept(claimed, undefined);
    }
    const moved = known.address !== claimed.address || known.port !== claimed.port;
    if (moved && !this.mayReclaim(known, claimed)) {
      counters.add('conflicts');
      // The old one may not be known to be dead yet: its successor is taken in the moment that it is.
      if (context.delegate.sameOwner?.(known, claimed) === true) this.successors.set(known.name, message);
      return context.delegate.conflict(known, message);
    }
    if (isSelf) return this.aliveAboutSelf(known, claimed);
    if (!moved && message.Incarnation <= known.incarnation) return counters.add('droppedStale');
    this.accept(claimed, known);
  }

  /** The record that an alive message describes, or undefined with the refusal counted. */
  private peerFromAlive(message: Alive): Peer | undefined {
    const { context } = this;
    const versions = versionsFromBytes(message.Vsn);
    const vsnBytes = message.Vsn?.length ?? 0;
    const { protocolMin, protocolMax } = versions;
    const impossible = vsnBytes >= 3 && (protocolMin === 0 || protocolMax === 0 || protocolMin > protocolMax);
    // Without six bytes a record would make every later push-pull fail: the version check counts it as version 0.
    if (impossible || vsnBytes < 6) {
      context.counters.add('droppedVersion');
      return undefined;
    }
    const nameBad = message.Node === '' || message.Node.length > nameBytesMax;
    if (nameBad || message.Addr === '' || message.Incarnation > incarnationMax) {
      context.counters.add('droppedMalformed');
      return undefined;
    }
    const peer: Peer = {
      name: message.Node,
      address: message.Addr,
      port: message.Port === 0 ? context.advertise.port : message.Port,
      meta: message.Meta?.slice() ?? new Uint8Array(0),
      versions,
      incarnation: message.Incarnation,
      state: 'alive',
      sinceMs: context.nowMs,
    };
    if (peer.name !== context.name && context.delegate.admit?.(peer) !== undefined) {
      context.counters.add('droppedNotAdmitted');
      return undefined;
    }
    return peer;
  }

  /** A name may move to another address once its owner left, is dead and comes back itself, or was dead for long enough. */
  private mayReclaim(known: Peer, claimed: Peer): boolean {
    const { config, nowMs, delegate } = this.context;
    if (known.name === this.context.name) return false;
    if (known.state === 'left') return true;
    if (known.state !== 'dead') return false;
    if (delegate.sameOwner?.(known, claimed) === true) return true;
    return config.deadNodeReclaimMs > 0 && nowMs - known.sinceMs > config.deadNodeReclaimMs;
  }

  /** Somebody remembers us differently (an earlier life, old tags): our own word counts. */
  private aliveAboutSelf(known: Peer, claimed: Peer): void {
    if (claimed.incarnation < known.incarnation) return this.context.counters.add('droppedStale');
    const sameVersions = sameBytes(versionsToBytes(claimed.versions), versionsToBytes(known.versions));
    if (claimed.incarnation === known.incarnation && sameBytes(claimed.meta, known.meta) && sameVersions) return;
    this.refute(known, claimed.incarnation);
  }

  private accept(peer: Peer, known: Peer | undefined): void {
    const { context } = this;
    if (this.suspicions.delete(peer.name)) context.counters.add('suspicionsRefuted');
    this.successors.delete(peer.name);
    const wasAlive = known !== undefined && !isGone(known);
    const next = wasAlive && known.state === 'alive' ? { ...peer, sinceMs: known.sinceMs } : peer;
    context.table.set(next);
    this.broadcast(peer.name, { kind: 'alive', body: aliveBody(next) });
    if (!wasAlive) context.delegate.joined(next);
    else if (!sameBytes(known.meta, next.meta)) context.delegate.updated(next);
  }

  suspect(message: Suspect): void {
    const { context } = this;
    const known = this.accused(message);
    if (known === undefined) return;
    const running = this.suspicions.get(message.Node);
    if (running !== undefined) return this.confirm(running, known, message);
    if (known.state !== 'alive') return context.counters.add('droppedStale');
    if (message.Node === context.name) return this.refute(known, message.Incarnation);
    this.broadcast(message.Node, { kind: 'suspect', body: message });
    context.counters.add('suspicions');
    const bounds = suspicionBounds(context.config, context.table.size);
    const suspicion = new Suspicion(++this.suspicionId, message.Incarnation, message.From, bounds, context.nowMs);
    this.suspicions.set(message.Node, suspicion);
    context.table.set({ ...known, state: 'suspect', incarnation: message.Incarnation, sinceMs: context.nowMs });
    this.plantSuspicionTimer(message.Node, suspicion);
  }

  /** The member that a suspect or dead message is about, unless the message is stale or forged (then counted). */
  private accused(message: Suspect | Dead): Peer | undefined {
    const known = this.context.table.get(message.Node);
    const forged = message.Incarnation > incarnationMax;
    if (known !== undefined && !forged && message.Incarnation >= known.incarnation) return known;
    this.context.counters.add(forged ? 'droppedMalformed' : 'droppedStale');
    return undefined;
  }

  private confirm(running: Suspicion, known: Peer, message: Suspect): void {
    if (!running.confirm(message.From)) return this.context.counters.add('droppedStale');
    this.broadcast(known.name, { kind: 'suspect', body: message });
    if (running.deadlineMs <= this.context.nowMs) this.declareDead(known);
    else this.plantSuspicionTimer(known.name, running);
  }

  private plantSuspicionTimer(name: string, suspicion: Suspicion): void {
    const afterMs = Math.max(0, suspicion.deadlineMs - this.context.nowMs);
    this.context.outbox.after(afterMs, { kind: 'suspicion', name, suspicion: suspicion.id });
  }

  /** A suspicion's time is up, unless it ended or was replaced. Clocks may call a moment early: then wait the rest. */
  suspicionTimer(timer: Extract<SwimTimer, { kind: 'suspicion' }>): void {
    const suspicion = this.suspicions.get(timer.name);
    const known = this.context.table.get(timer.name);
    if (suspicion?.id !== timer.suspicion || known?.state !== 'suspect') return;
    if (suspicion.deadlineMs <= this.context.nowMs) this.declareDead(known);
    else this.plantSuspicionTimer(timer.name, suspicion);
  }

  /** Is this timer still about something? Then a late one deserves a second look (see `Swim.late`). */
  suspicionRunning(timer: Extract<SwimTimer, { kind: 'suspicion' }>): boolean {
    return this.suspicions.get(timer.name)?.id === timer.suspicion;
  }

  private declareDead(known: Peer): void {
    this.context.counters.add('deaths');
    this.dead({ Incarnation: known.incarnation, Node: known.name, From: this.context.name });
  }

  dead(message: Dead, token?: string): void {
    const { context } = this;
    const known = this.accused(message);
    if (known === undefined) return;
    this.suspicions.delete(message.Node);
    if (isGone(known)) return context.counters.add('droppedStale');
    if (message.Node === context.name && !context.leaving) return this.refute(known, message.Incarnation);
    this.broadcast(message.Node, { kind: 'dead', body: message }, token);
    const state = message.From === message.Node ? 'left' : 'dead';
    const next: Peer = { ...known, state, incarnation: message.Incarnation, sinceMs: context.nowMs };
    context.table.set(next);
    context.delegate.left(next);
    const successor = this.successors.get(next.name);
    if (successor !== undefined) this.alive(successor);
  }

  /** "I am alive": with an incarnation above the accusation's. Being accused is a hint that we are slow (Lifeguard). */
  private refute(self: Peer, accused: Incarnation): void {
    const { context } = this;
    this.incarnation = Math.max(this.incarnation + 1, accused + 1);
    context.counters.add('refutations');
    context.awareness.add(1);
    const next: Peer = { ...self, incarnation: this.incarnation };
    context.table.set(next);
    this.broadcastSelf(next);
  }

  private broadcastSelf(self: Peer, token?: string): void {
    this.broadcast(self.name, { kind: 'alive', body: aliveBody(self) }, token);
  }

  /** A newer message about a member replaces an older one in the queue. */
  private broadcast(subject: string, message: Message, token?: string): void {
    this.context.queue.add(encodeMessage(message), { subject, token });
  }
}

/** Nearly every record of a push-pull: what we know already, from the same address. */
function isOldNews(message: Alive, known: Peer): boolean {
  return message.Incarnation <= known.incarnation && message.Addr === known.address && message.Port === known.port;
}

function aliveBody(peer: Peer): Alive {
  return {
    Incarnation: peer.incarnation,
    Node: peer.name,
    Addr: peer.address,
    Port: peer.port,
    Meta: peer.meta,
    Vsn: versionsToBytes(peer.versions),
  };
}
