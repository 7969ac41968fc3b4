/**
 * Executes what the pool wants done: the one place where the pure core meets sockets and timers. It hands the core one
 * input at a time, then carries out the effects that gathered; whatever completes later comes back as the next input.
 */
import type { Clock } from '../std/clock.ts';
import type { Logger } from './api.ts';
import type { Counters } from './metrics.ts';
import type { PoolEvent, PoolTimer } from './serf/context.ts';
import type { Pool } from './serf/pool.ts';
import type { Effect } from './swim/outbox.ts';
import type { Endpoint } from './swim/types.ts';
import type { Envelope } from './transport/envelope.ts';
import { StreamReader } from './transport/stream-reader.ts';
import type { InboundStream, Transport, TransportHandlers } from './transport/transport.ts';
import { bundle } from './wire/packet.ts';

export interface DriverParts {
  readonly pool: Pool;
  readonly transport: Transport;
  readonly envelope: Envelope;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly streamsMax: number;
  readonly tcpTimeoutMs: number;
  event(event: PoolEvent): void;
}

type PacketEffect = Extract<Effect<PoolTimer, PoolEvent>, { kind: 'packet' }>;
type ExchangeEffect = Extract<Effect<PoolTimer, PoolEvent>, { kind: 'exchange' }>;

export class Driver {
  private readonly parts: DriverParts;
  private readonly cancels = new Set<() => void>();
  private readonly inbound = new Map<number, InboundStream>();
  private lastStream = 0;
  private stopped = false;
  private running = false;

  constructor(parts: DriverParts) {
    this.parts = parts;
  }

  /** Gives the core one input and executes what follows from it. */
  run<T>(input: (pool: Pool, nowMs: number) => T): T {
    const { pool, clock } = this.parts;
    const result = input(pool, clock.monotonicMs());
    // A callback of the application may ask for something while effects are executed: they are all in one queue.
    if (this.running) return result;
    this.running = true;
    try {
      for (let effects = pool.outbox.drain(); effects.length > 0 && !this.stopped; effects = pool.outbox.drain()) {
        for (const effect of effects) this.execute(effect);
      }
    } finally {
      this.running = false;
    }
    return result;
  }

  private execute(effect: Effect<PoolTimer, PoolEvent>): void {
    switch (effect.kind) {
      case 'packet':
        return this.sendPacket(effect);
      case 'exchange':
        void this.exchange(effect);
        return;
      case 'reply':
        return this.reply(effect.stream, effect.message);
      case 'after':
        return this.plant(effect.afterMs, effect.timer);
      case 'notify':
        return this.parts.event(effect.event);
    }
  }

  // --- timers

  private plant(afterMs: number, timer: PoolTimer): void {
    const { clock } = this.parts;
    const dueMs = clock.monotonicMs() + afterMs;
    const cancel = this.after(afterMs, () => {
      const lateMs = Math.max(0, clock.monotonicMs() - dueMs);
      this.run((pool, nowMs) => pool.timer(timer, lateMs, nowMs));
    });
    void cancel;
  }

  /** A timer that ends with the node. */
  private after(afterMs: number, callback: () => void): () => void {
    const cancel = this.parts.clock.after(afterMs, () => {
      this.cancels.delete(cancel);
      callback();
    });
    this.cancels.add(cancel);
    return () => {
      this.cancels.delete(cancel);
      cancel();
    };
  }

  // --- packets

  private sendPacket({ to, messages, crc, probe }: PacketEffect): void {
    const { envelope, transport, counters, logger } = this.parts;
    const bytes = envelope.sealPacket(bundle(messages), crc);
    counters.add('packetsSent');
    counters.add('bytesSent', bytes.length);
    transport.send(bytes, to, (error) => {
      if (this.stopped) return;
      counters.add('sendFailures');
      logger.debug({ to: `${to.address}:${to.port}`, error: error.message }, 'a gossip packet could not be sent');
      if (probe !== undefined) this.run((pool, nowMs) => pool.probeSendFailed(probe, nowMs));
    });
  }

  readonly handlers: TransportHandlers = {
    packet: (bytes, from) => this.packet(bytes, from),
    stream: (stream) => this.stream(stream),
    failed: (error) => this.parts.event({ kind: 'shutdown', reason: `the socket failed: ${error.message}` }),
  };

  private packet(bytes: Uint8Array, from: Endpoint): void {
    if (this.stopped) return;
    const { counters, envelope } = this.parts;
    counters.add('packetsReceived');
    counters.add('bytesReceived', bytes.length);
    const opened = envelope.openPacket(bytes);
    if ('dropped' in opened) return counters.add(opened.dropped);
    this.run((pool, nowMs) => pool.packet(opened.packet, from, nowMs));
  }

  // --- streams from others

  private stream(stream: InboundStream): void {
    const { counters, streamsMax, tcpTimeoutMs } = this.parts;
    if (this.stopped || this.inbound.size >= streamsMax) {
      counters.add('streamsRefused');
      return stream.destroy();
    }
    counters.add('streamsReceived');
    const id = ++this.lastStream;
    this.inbound.set(id, stream);
    const reader = new StreamReader(this.parts.envelope.options, true);
    const cancel = this.after(tcpTimeoutMs, () => this.drop(id, true));
    let heard = false;
    stream.onData((chunk) => {
      if (chunk === null) {
        cancel();
        return this.drop(id, !heard);
      }
      if (heard) return;
      counters.add('streamBytesReceived', chunk.length);
      const outcome = reader.push(chunk);
      if (outcome === undefined) return;
      heard = true;
      if (outcome.kind === 'message') {
        this.run((pool, nowMs) => pool.streamMessage(id, outcome.message, nowMs));
      } else {
        counters.add(outcome.counter);
        this.parts.logger.warn({ from: stream.from.address, detail: outcome.detail }, 'refused a gossip stream');
        this.reply(id, outcome.reply ? { kind: 'error', body: outcome.detail } : undefined);
      }
    });
  }

  private reply(id: number, message: Parameters<Envelope['sealStream']>[0] | undefined): void {
    const stream = this.inbound.get(id);
    if (stream === undefined) return;
    if (message === undefined) return stream.end();
    const bytes = this.parts.envelope.sealStream(message, false);
    this.parts.counters.add('streamBytesSent', bytes.length);
    stream.end(bytes);
  }

  private drop(id: number, destroy: boolean): void {
    const stream = this.inbound.get(id);
    this.inbound.delete(id);
    if (destroy) stream?.destroy();
  }

  // --- streams of ours

  private async exchange(effect: ExchangeEffect): Promise<void> {
    const { counters } = this.parts;
    counters.add('streamsSent');
    let failure = '';
    let reply: Awaited<ReturnType<Driver['converse']>>;
    try {
      reply = await this.converse(effect);
    } catch (error) {
      failure = (error as Error).message;
    }
    if (this.stopped || !effect.reply) return;
    this.run((pool, nowMs) => pool.exchangeDone(effect.exchange, reply, failure, nowMs));
  }

  /** Connects, sends, waits for the one answer. Rejects with what a person can do something with. */
  private async converse({ to, message, reply, timeoutMs }: ExchangeEffect): Promise<StreamMessageOf | undefined> {
    const { transport, envelope, counters, clock } = this.parts;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const stream = await transport.dial(to, timeoutMs);
    const bytes = envelope.sealStream(message, true);
    counters.add('streamBytesSent', bytes.length);
    stream.write(bytes);
    if (!reply) {
      stream.end();
      return undefined;
    }
    const reader = new StreamReader(envelope.options, false);
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        cancel();
        stream.destroy();
        settle();
      };
      const cancel = this.after(Math.max(1, deadlineMs - clock.monotonicMs()), () => {
        finish(() => reject(new Error(`no answer within ${timeoutMs} ms`)));
      });
      stream.onData((chunk) => {
        if (chunk === null) return finish(() => reject(new Error('the connection was closed without an answer')));
        counters.add('streamBytesReceived', chunk.length);
        const outcome = reader.push(chunk);
        if (outcome === undefined) return;
        if (outcome.kind === 'message') return finish(() => resolve(outcome.message));
        counters.add(outcome.counter);
        finish(() => reject(new Error(outcome.detail)));
      });
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const cancel of this.cancels) cancel();
    this.cancels.clear();
    for (const stream of this.inbound.values()) stream.destroy();
    this.inbound.clear();
    await this.parts.transport.close();
  }
}

type StreamMessageOf = Parameters<Envelope['sealStream']>[0];
