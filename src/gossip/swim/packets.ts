/**
 * Packets out, and what rides on them: every ping and ack carries as many broadcasts as fit (SWIM §4.1), and the gossip
 * timer sends the rest when traffic alone would be too slow. The timer runs only while something is queued, on the beat
 * of this member's own phase, so that an idle pool of idle members wakes nobody.
 */
import { encodeUser } from '../wire/messages.ts';
import type { SwimContext } from './context.ts';
import { type Endpoint, type Peer, protocolWith } from './types.ts';

/** The header of a compound, and each part's length. */
const compoundHeaderBytes = 2;
const partOverheadBytes = 2;
/** The same for a user message, which has a type byte of its own. */
const userOverheadBytes = 3;
const partsMax = 100;

export class Packets {
  private readonly context: SwimContext;
  private readonly phaseMs: number;
  private tickPlanted = false;

  constructor(context: SwimContext) {
    this.context = context;
    this.phaseMs = context.random.gossip.next() * context.config.gossipIntervalMs;
  }

  /** A message and, behind it, whatever else should be told. */
  sendWithPiggyback(to: Endpoint, message: Uint8Array, probe?: number): void {
    const { config, packetOverheadBytes, outbox } = this.context;
    const free =
      config.udpPacketBytesMax - packetOverheadBytes - message.length - compoundHeaderBytes - partOverheadBytes;
    const extra = this.drain(free, to);
    outbox.push({ kind: 'packet', to, messages: [message, ...extra], crc: false, probe });
  }

  /** A message to a member, alone and with a checksum where it understands them. */
  sendToPeer(peer: Peer, messages: readonly Uint8Array[], probe?: number): void {
    const crc = peer.versions.protocolMax >= protocolWith.crc;
    this.context.outbox.push({ kind: 'packet', to: peer, messages, crc, probe });
  }

  /** A message to an address, bare: answers to queries. */
  sendBare(to: Endpoint, message: Uint8Array): void {
    this.context.outbox.push({ kind: 'packet', to, messages: [message], crc: false });
  }

  /** Membership first, then what the layer above has, into the bytes that are left. */
  private drain(bytes: number, to: Endpoint): Uint8Array[] {
    const messages = this.context.queue.drain(bytes, partOverheadBytes, partsMax);
    const used = messages.reduce((sum, message) => sum + message.length + partOverheadBytes, 0);
    const partsFree = partsMax - messages.length;
    const above = this.context.delegate.broadcasts(bytes - used, userOverheadBytes, partsFree, to);
    for (const body of above) messages.push(encodeUser(body));
    return messages;
  }

  private get anythingQueued(): boolean {
    return this.context.queue.length > 0 || this.context.delegate.hasBroadcasts();
  }

  /** Call when a step may have queued something: plants the next beat of the gossip timer if none is planted. */
  ensureTick(): void {
    if (this.tickPlanted || !this.anythingQueued) return;
    const { config, nowMs, outbox } = this.context;
    const interval = config.gossipIntervalMs;
    const toBeat = interval - ((nowMs + this.phaseMs) % interval);
    this.tickPlanted = true;
    // A timer that came a moment early must not make two beats of one.
    outbox.after(toBeat < interval / 20 ? toBeat + interval : toBeat, { kind: 'gossip' });
  }

  /** One round: a packet to each of a few random members, the recently dead included so that they can refute. */
  tick(): void {
    this.tickPlanted = false;
    const { config, table, name, nowMs, packetOverheadBytes } = this.context;
    const targets = table.pick(config.gossipNodes, (peer) => {
      if (peer.name === name || peer.state === 'left') return false;
      return peer.state !== 'dead' || nowMs - peer.sinceMs <= config.gossipToTheDeadMs;
    });
    for (const peer of targets) {
      const messages = this.drain(config.udpPacketBytesMax - packetOverheadBytes - compoundHeaderBytes, peer);
      // What is left may be news to the next one.
      if (messages.length > 0) this.sendToPeer(peer, messages);
      else if (!this.anythingQueued) return;
    }
  }
}
