/**
 * Failure detection (SWIM §3.1): each interval one member is pinged; without an ack in time, a few others are asked to
 * ping it, and TCP is tried, since UDP alone may be blocked; without any answer it is suspected.
 *
 *     probe ── ping ──> target                      ack in time: done, with a round trip
 *       │ probeTimeout
 *       ├── indirect ping ──> k members ── ping ──> target      an ack through any of them: done
 *       ├── TCP ping ────────────────────────────> target      contact: done
 *       │ probeEnd
 *       └── suspect
 *
 * A member asked to help answers with a nack when it too hears nothing (Lifeguard §IV-A): a missing nack means that the
 * trouble is on our side, and raises our health score.
 */
import { encodeRecord, type IndirectPing, type Ping } from '../wire/messages.ts';
import type { StreamMessage } from '../wire/stream.ts';
import type { SwimContext, SwimTimer } from './context.ts';
import type { Liveness } from './liveness.ts';
import type { Packets } from './packets.ts';
import { type Endpoint, isGone, type Peer, protocolWith } from './types.ts';

/** The probe in progress; there is one at a time. */
interface Probe {
  readonly seqNo: number;
  readonly target: Peer;
  readonly startedMs: number;
  /** When it is over, stretched by the health score at its start. */
  readonly deadlineMs: number;
  /** The direct ping's time is up. */
  indirect: boolean;
  nacksExpected: number;
  nacksReceived: number;
  tcpContact: boolean;
}

/** A ping that another member asked for. */
interface RelayedPing {
  readonly request: IndirectPing;
  readonly requester: Endpoint;
}

export class Prober {
  private readonly context: SwimContext;
  private readonly packets: Packets;
  private readonly liveness: Liveness;
  private readonly openExchange: (to: Endpoint, message: StreamMessage, timeoutMs: number, seqNo: number) => void;
  private probe: Probe | undefined;
  private readonly relayed = new Map<number, RelayedPing>();
  private lastSeqNo = 0;

  constructor(
    context: SwimContext,
    packets: Packets,
    liveness: Liveness,
    openExchange: (to: Endpoint, message: StreamMessage, timeoutMs: number, seqNo: number) => void,
  ) {
    this.context = context;
    this.packets = packets;
    this.liveness = liveness;
    this.openExchange = openExchange;
  }

  /** The first probe falls at a random point, so that members started together do not probe together. */
  start(): void {
    const { config, random, outbox } = this.context;
    outbox.after(random.probe.next() * config.probeIntervalMs, { kind: 'probe' });
  }

  /** A tick that finds the last probe unfinished is dropped, not queued. */
  tick(): void {
    const { config, table, name, outbox, nowMs } = this.context;
    outbox.after(config.probeIntervalMs, { kind: 'probe' });
    if (this.probe !== undefined) return;
    const purgeOld = (): void => {
      table.purge((peer) => isGone(peer) && peer.name !== name && nowMs - peer.sinceMs > config.gossipToTheDeadMs);
    };
    const target = table.nextToProbe((peer) => peer.name !== name && !isGone(peer), purgeOld);
    if (target !== undefined) this.begin(target);
  }

  private begin(target: Peer): void {
    const { config, awareness, outbox, counters, nowMs } = this.context;
    const seqNo = this.nextSeqNo();
    counters.add('probes');
    this.probe = {
      seqNo,
      target,
      startedMs: nowMs,
      deadlineMs: nowMs + awareness.scale(config.probeIntervalMs),
      indirect: false,
      nacksExpected: 0,
      nacksReceived: 0,
      tcpContact: false,
    };
    const ping = encodeRecord('ping', { SeqNo: seqNo, Node: target.name, ...this.source() });
    if (target.state === 'alive') {
      this.packets.sendWithPiggyback(target, ping, seqNo);
    } else {
      // The accusation comes along, so that a suspect who is alive can refute at once.
      const accusation = { Incarnation: target.incarnation, Node: target.name, From: this.context.name };
      this.packets.sendToPeer(target, [ping, encodeRecord('suspect', accusation)], seqNo);
    }
    outbox.after(config.probeTimeoutMs, { kind: 'probeTimeout', seqNo });
  }

  private source(): { SourceAddr: string; SourcePort: number; SourceNode: string } {
    const { advertise, name } = this.context;
    return { SourceAddr: advertise.address, SourcePort: advertise.port, SourceNode: name };
  }

  /** Is this timer about the probe in progress? */
  isCurrent(seqNo: number): boolean {
    return this.probe?.seqNo === seqNo;
  }

  /** No direct ack in time, or the system could not even send: ask others, and try TCP. */
  probeTimeout(seqNo: number): void {
    const { probe } = this;
    if (probe?.seqNo !== seqNo || probe.indirect) return;
    probe.indirect = true;
    const { config, table, name, outbox, nowMs } = this.context;
    const { target } = probe;
    const wanted = (peer: Peer): boolean => peer.state === 'alive' && peer.name !== name && peer.name !== target.name;
    for (const helper of table.pick(config.indirectChecks, wanted)) this.askHelper(probe, helper);
    const remainingMs = Math.max(0, probe.deadlineMs - nowMs);
    if (config.tcpPings && target.versions.protocolMax >= protocolWith.tcpPing && remainingMs > 0) {
      const body = { SeqNo: seqNo, Node: target.name, ...this.source() };
      this.openExchange(target, { kind: 'ping', body }, remainingMs, seqNo);
    }
    outbox.after(remainingMs, { kind: 'probeEnd', seqNo });
  }

  private askHelper(probe: Probe, helper: Peer): void {
    const { target, seqNo } = probe;
    const Nack = helper.versions.protocolMax >= protocolWith.nack;
    if (Nack) probe.nacksExpected++;
    const body = { SeqNo: seqNo, Target: target.address, Port: target.port, Node: target.name, Nack, ...this.source() };
    this.packets.sendWithPiggyback(helper, encodeRecord('indirectPing', body));
  }

  /** The answer of a TCP ping. */
  tcpAnswer(seqNo: number, reply: StreamMessage | undefined): void {
    const { probe } = this;
    if (probe?.seqNo !== seqNo || reply?.kind !== 'ack' || reply.body.SeqNo !== seqNo) return;
    probe.tcpContact = true;
  }

  probeEnd(seqNo: number): void {
    const { probe } = this;
    if (probe?.seqNo !== seqNo) return;
    const { counters } = this.context;
    if (probe.tcpContact) {
      counters.add('probesSavedByTcp');
      return this.succeed();
    }
    this.probe = undefined;
    counters.add('probesFailed');
    const { nacksExpected, nacksReceived } = probe;
    this.context.awareness.add(nacksExpected > 0 ? nacksExpected - nacksReceived : 1);
    const known = this.context.table.get(probe.target.name);
    if (known === undefined) return;
    this.liveness.suspect({ Incarnation: known.incarnation, Node: known.name, From: this.context.name });
  }

  private succeed(): void {
    this.probe = undefined;
    this.context.awareness.add(-1);
  }

  /** Acks are matched by sequence number alone; one consumes the probe or the relayed ping it answers. */
  ack(seqNo: number, payload: Uint8Array | null): void {
    const { probe } = this;
    if (probe?.seqNo === seqNo) {
      this.succeed();
      // A relayed or late ack says nothing about the round trip.
      if (!probe.indirect) this.context.delegate.acked(probe.target, this.context.nowMs - probe.startedMs, payload);
      return;
    }
    const relay = this.relayed.get(seqNo);
    if (relay === undefined) return this.context.counters.add('droppedUnexpectedAck');
    this.relayed.delete(seqNo);
    const body = { SeqNo: relay.request.SeqNo, Payload: null };
    this.packets.sendWithPiggyback(relay.requester, encodeRecord('ack', body));
  }

  nack(seqNo: number): void {
    if (this.probe?.seqNo === seqNo) this.probe.nacksReceived++;
    else this.context.counters.add('droppedUnexpectedAck');
  }

  answerPing(ping: Ping, from: Endpoint): void {
    const { name, table, counters, delegate } = this.context;
    if (ping.Node !== '' && ping.Node !== name) return counters.add('droppedWrongTarget');
    const ack = encodeRecord('ack', { SeqNo: ping.SeqNo, Payload: delegate.ackPayload() });
    const requester = requesterOf(ping, from);
    this.packets.sendWithPiggyback(requester, ack);
    const known = table.get(ping.SourceNode);
    if (known === undefined || isGone(known)) delegate.pingedByGone?.(ping.SourceNode, requester);
  }

  /** Somebody cannot reach a member and asks us to try. */
  relayPing(request: IndirectPing, from: Endpoint): void {
    const { config, advertise, counters, outbox } = this.context;
    if (request.Target === '') return counters.add('droppedMalformed');
    counters.add('indirectPings');
    const seqNo = this.nextSeqNo();
    this.relayed.set(seqNo, { request, requester: requesterOf(request, from) });
    const target = { address: request.Target, port: request.Port === 0 ? advertise.port : request.Port };
    this.packets.sendWithPiggyback(
      target,
      encodeRecord('ping', { SeqNo: seqNo, Node: request.Node, ...this.source() }),
    );
    outbox.after(config.probeTimeoutMs, { kind: 'relayTimeout', seqNo });
  }

  relayTimeout(timer: Extract<SwimTimer, { kind: 'relayTimeout' }>): void {
    const relay = this.relayed.get(timer.seqNo);
    if (relay === undefined) return;
    this.relayed.delete(timer.seqNo);
    if (!relay.request.Nack) return;
    this.packets.sendWithPiggyback(relay.requester, encodeRecord('nack', { SeqNo: relay.request.SeqNo }));
  }

  private nextSeqNo(): number {
    this.lastSeqNo = (this.lastSeqNo + 1) >>> 0;
    return this.lastSeqNo;
  }
}

/** Where an answer goes: to the source that the message names, or to where the packet came from (older senders). */
function requesterOf(message: { SourceAddr: string; SourcePort: number }, from: Endpoint): Endpoint {
  const { SourceAddr, SourcePort } = message;
  return SourceAddr !== '' && SourcePort !== 0 ? { address: SourceAddr, port: SourcePort } : from;
}
