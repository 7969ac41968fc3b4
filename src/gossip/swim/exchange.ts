/**
 * TCP exchanges: push-pull, in which two members hand each other everything they know (at a join, and now and then, to
 * repair what gossip missed), and the TCP side of probes.
 */
import type { PushPull, PushPullNode, StreamMessage } from '../wire/stream.ts';
import type { JoinFailure, SwimContext } from './context.ts';
import type { Liveness } from './liveness.ts';
import type { MemberTable } from './member-table.ts';
import { type Endpoint, type Peer, type PeerState, versionsFromBytes, versionsToBytes } from './types.ts';

/** What one of our exchanges is for. */
type Purpose =
  | { readonly kind: 'join'; readonly join: number }
  | { readonly kind: 'sync' }
  | { readonly kind: 'probe'; readonly seqNo: number };

const stateNumber: Readonly<Record<PeerState, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };
const stateOfNumber: readonly PeerState[] = ['alive', 'suspect', 'dead', 'left'];

/** Pools above this size stretch the interval between push-pulls. */
const pushPullScaleMembers = 32;

export function pushPullScale(members: number): number {
  if (members <= pushPullScaleMembers) return 1;
  return Math.ceil(Math.log2(members) - Math.log2(pushPullScaleMembers)) + 1;
}

export class Exchanges {
  private readonly context: SwimContext;
  private readonly liveness: Liveness;
  private readonly probeAnswer: (seqNo: number, reply: StreamMessage | undefined) => void;
  private readonly open = new Map<number, Purpose>();
  private lastExchange = 0;

  constructor(
    context: SwimContext,
    liveness: Liveness,
    probeAnswer: (seqNo: number, reply: StreamMessage | undefined) => void,
  ) {
    this.context = context;
    this.liveness = liveness;
    this.probeAnswer = probeAnswer;
  }

  start(): void {
    const { config, random, outbox, table } = this.context;
    if (config.pushPullIntervalMs === 0) return;
    const periodMs = config.pushPullIntervalMs * pushPullScale(table.size);
    outbox.after(random.pushPull.next() * periodMs, { kind: 'pushPull' });
  }

  tick(): void {
    const { config, table, name, outbox } = this.context;
    outbox.after(config.pushPullIntervalMs * pushPullScale(table.size), { kind: 'pushPull' });
    const [peer] = table.pick(1, (candidate) => candidate.state === 'alive' && candidate.name !== name);
    if (peer !== undefined) this.begin(peer, this.localState(false), config.tcpTimeoutMs, { kind: 'sync' });
  }

  /** Push-pull with somebody who may not know us; ends in `joinDone`. */
  join(to: Endpoint, join: number): void {
    this.begin(to, this.localState(true), this.context.config.tcpTimeoutMs, { kind: 'join', join });
  }

  ping(to: Endpoint, message: StreamMessage, timeoutMs: number, seqNo: number): void {
    this.begin(to, message, timeoutMs, { kind: 'probe', seqNo });
  }

  /** One message, no answer wanted. */
  user(to: Endpoint, body: Uint8Array): void {
    const { outbox, config } = this.context;
    const message: StreamMessage = { kind: 'user', body };
    outbox.push({ kind: 'exchange', exchange: 0, to, message, reply: false, timeoutMs: config.tcpTimeoutMs });
  }

  private begin(to: Endpoint, message: StreamMessage, timeoutMs: number, purpose: Purpose): void {
    const exchange = ++this.lastExchange;
    this.open.set(exchange, purpose);
    this.context.outbox.push({ kind: 'exchange', exchange, to, message, reply: true, timeoutMs });
  }

  /** What came back, or why nothing did. */
  finished(exchange: number, reply: StreamMessage | undefined, failure: string): void {
    const purpose = this.open.get(exchange);
    if (purpose === undefined) return;
    this.open.delete(exchange);
    if (purpose.kind === 'probe') return this.probeAnswer(purpose.seqNo, reply);
    const outcome = this.mergeReply(reply, purpose.kind === 'join', failure);
    if (purpose.kind === 'join') this.context.delegate.joinDone(purpose.join, outcome);
  }

  private mergeReply(reply: StreamMessage | undefined, join: boolean, failure: string): JoinFailure | undefined {
    if (reply === undefined) return { code: 'not-reachable', reason: failure };
    if (reply.kind === 'error') return { code: 'join-refused', reason: `the other side says: ${reply.body}` };
    if (reply.kind !== 'pushPull') return { code: 'join-refused', reason: `answered with ${reply.kind}` };
    const refused = this.merge(reply.body, join);
    return refused === undefined ? undefined : { code: 'join-refused', reason: refused };
  }

  /** An inbound stream's message. The reply leaves before the merge, as joiners expect. */
  received(stream: number, message: StreamMessage): void {
    const { context } = this;
    const answer = (reply: StreamMessage | undefined): void => {
      context.outbox.push({ kind: 'reply', stream, message: reply });
    };
    switch (message.kind) {
      case 'pushPull':
        answer(this.localState(message.body.Join));
        this.merge(message.body, message.body.Join);
        return;
      case 'ping': {
        const ours = message.body.Node === '' || message.body.Node === context.name;
        if (!ours) context.counters.add('droppedWrongTarget');
        answer(ours ? { kind: 'ack', body: { SeqNo: message.body.SeqNo, Payload: null } } : undefined);
        return;
      }
      case 'user':
        answer(undefined);
        context.delegate.userMessage(message.body);
        return;
      case 'ack':
      case 'error':
        context.counters.add('droppedUnknownType');
        answer(undefined);
    }
  }

  private localState(join: boolean): StreamMessage {
    const { table, delegate } = this.context;
    const Nodes = Array.from(table.all(), nodeOf);
    return { kind: 'pushPull', body: { Join: join, Nodes, UserState: delegate.userState(join) } };
  }

  /** Takes over what the other side knows; a text says why not. */
  private merge(remote: PushPull, join: boolean): string | undefined {
    const { context } = this;
    const refused = this.refusal(remote, join);
    if (refused !== undefined) {
      context.counters.add('pushPullsRefused');
      return refused;
    }
    context.counters.add('pushPulls');
    for (const node of remote.Nodes) this.mergeNode(node);
    if (remote.UserState.length > 0) context.delegate.mergeUserState(remote.UserState, join);
    return undefined;
  }

  private refusal(remote: PushPull, join: boolean): string | undefined {
    const { context } = this;
    const versions = versionConflict(remote.Nodes, context.table);
    if (versions !== undefined) {
      context.counters.add('droppedVersion');
      return versions;
    }
    if (!join || context.delegate.admitAll === undefined) return undefined;
    const refused = context.delegate.admitAll(remote.Nodes.map((node) => peerOf(node, context.nowMs)));
    if (refused !== undefined) context.counters.add('droppedNotAdmitted');
    return refused;
  }

  /** Dead is taken as suspect, on our own account: it may have refuted long ago, and gets the time to. */
  private mergeNode(node: PushPullNode): void {
    const { liveness, context } = this;
    const { Name, Incarnation } = node;
    switch (stateOfNumber[node.State]) {
      case 'alive':
        return liveness.alive({
          Node: Name,
          Incarnation,
          Addr: node.Addr,
          Port: node.Port,
          Meta: node.Meta,
          Vsn: node.Vsn,
        });
      case 'left':
        return liveness.dead({ Incarnation, Node: Name, From: Name });
      case 'suspect':
      case 'dead':
        return liveness.suspect({ Incarnation, Node: Name, From: context.name });
      default:
        context.counters.add('droppedMalformed');
    }
  }
}

function nodeOf(peer: Peer): PushPullNode {
  return {
    Name: peer.name,
    Addr: peer.address,
    Port: peer.port,
    Meta: peer.meta,
    Incarnation: peer.incarnation,
    State: stateNumber[peer.state],
    Vsn: versionsToBytes(peer.versions),
  };
}

function peerOf(node: PushPullNode, nowMs: number): Peer {
  return {
    name: node.Name,
    address: node.Addr,
    port: node.Port,
    meta: node.Meta ?? new Uint8Array(0),
    versions: versionsFromBytes(node.Vsn),
    incarnation: node.Incarnation,
    state: stateOfNumber[node.State] ?? 'dead',
    sinceMs: nowMs,
  };
}

/**
 * Everybody, the dead included, must speak versions that every living member understands; a text names one who does
 * not. A record without versions counts as speaking 0. (Two plain passes: in a pool of thousands this is the hot loop.)
 */
function versionConflict(remote: readonly PushPullNode[], table: MemberTable): string | undefined {
  const protocol = { low: 0, high: 255 };
  const delegate = { low: 0, high: 255 };
  for (const { State, Vsn } of remote) {
    if (State !== 0 || Vsn === null || Vsn.length === 0) continue;
    narrow(protocol, Vsn[0] ?? 0, Vsn[1] ?? 0);
    narrow(delegate, Vsn[3] ?? 0, Vsn[4] ?? 0);
  }
  for (const { state, versions } of table.all()) {
    if (state !== 'alive') continue;
    narrow(protocol, versions.protocolMin, versions.protocolMax);
    narrow(delegate, versions.delegateMin, versions.delegateMax);
  }
  for (const { Name, Vsn } of remote) {
    const wrong = outside(Name, Vsn?.[2] ?? 0, protocol, Vsn?.[5] ?? 0, delegate);
    if (wrong !== undefined) return wrong;
  }
  for (const { name, versions } of table.all()) {
    const wrong = outside(name, versions.protocolCur, protocol, versions.delegateCur, delegate);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

interface Range {
  low: number;
  high: number;
}

function narrow(range: Range, min: number, max: number): void {
  if (min > range.low) range.low = min;
  if (max < range.high) range.high = max;
}

function outside(name: string, spoken: number, protocol: Range, above: number, delegate: Range): string | undefined {
  if (spoken < protocol.low || spoken > protocol.high) {
    return `member ${name} speaks protocol ${spoken}, the pool ${protocol.low} to ${protocol.high}`;
  }
  if (above < delegate.low || above > delegate.high) {
    return `member ${name} speaks delegate protocol ${above}, the pool ${delegate.low} to ${delegate.high}`;
  }
  return undefined;
}
