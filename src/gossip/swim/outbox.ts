/**
 * What a step wants done: send a packet, run a TCP exchange, answer one, plant a timer, tell the application. Effects
 * are data; the driver executes them, a test reads them, a simulation does both.
 */
import type { StreamMessage } from '../wire/stream.ts';
import type { Endpoint } from './types.ts';

export type Effect<Timer, Event> =
  /** The messages of one UDP packet, before they are bundled, compressed, checksummed and encrypted. */
  | {
      readonly kind: 'packet';
      readonly to: Endpoint;
      readonly messages: readonly Uint8Array[];
      /** The receiver is known to understand checksums. */
      readonly crc: boolean;
      /** Report a failed send of this probe. */
      readonly probe?: number;
    }
  /** Connect, send, and report the one message that comes back (or the failure) under `exchange`. */
  | {
      readonly kind: 'exchange';
      readonly exchange: number;
      readonly to: Endpoint;
      readonly message: StreamMessage;
      /** Without: the stream is closed once the message is sent, and nothing is reported. */
      readonly reply: boolean;
      readonly timeoutMs: number;
    }
  /** Answer an inbound stream and close it; without a message just close. */
  | { readonly kind: 'reply'; readonly stream: number; readonly message: StreamMessage | undefined }
  | { readonly kind: 'after'; readonly afterMs: number; readonly timer: Timer }
  | { readonly kind: 'notify'; readonly event: Event };

/** The writing side; a layer sees only its own timers and events. */
export interface EffectSink<Timer, Event> {
  push(effect: Effect<Timer, Event>): void;
  after(afterMs: number, timer: Timer): void;
  notify(event: Event): void;
}

export class Outbox<Timer, Event> implements EffectSink<Timer, Event> {
  private effects: Effect<Timer, Event>[] = [];

  push(effect: Effect<Timer, Event>): void {
    this.effects.push(effect);
  }

  after(afterMs: number, timer: Timer): void {
    this.effects.push({ kind: 'after', afterMs, timer });
  }

  notify(event: Event): void {
    this.effects.push({ kind: 'notify', event });
  }

  /** Takes everything that has gathered, in order. */
  drain(): Effect<Timer, Event>[] {
    const { effects } = this;
    this.effects = [];
    return effects;
  }
}
