/**
 * This server's outgoing connections to one peer: one for heartbeats and votes, another for appends, so that the first never wait
 * behind the second (two streams of one connection share its window and its socket). Messages that one input of the core causes leave as one frame, at once: a later turn
 * of the event loop would cost a busy server milliseconds on each of the three hops of a write. A broken stream is reported
 * once and dialled again, with a growing and jittered pause; messages meanwhile are dropped, as Raft allows.
 *
 * A peer that does not greet back for long, or takes nothing more, is dialled anew on another connection. That a connection lives is not
 * enough: one bit that flips in the length of an HTTP/2 frame, and the peer waits for bytes that never come; in a frame that ends a
 * stream, and one side writes to what the other has closed, until the window is used up.
 */
import { type ChannelCredentials, Client, type ClientDuplexStream } from '@grpc/grpc-js';
import type { Message } from '../core/messages.ts';
import { raftService } from './service.ts';
import { type Frame, type Hello, toWire } from './wire.ts';

export interface LinkOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly channelOptions: Record<string, string | number>;
  readonly hello: Omit<Hello, 'bulk'>;
  /** The peer greets back, and makes room for more, within this time, ms; or it is dialled on another connection. */
  readonly silenceMsMax: number;
  /** Messages that came back on the stream. */
  received(frame: Frame): void;
  /** A stream that had been accepted broke. */
  broken(): void;
}

const retryMsFirst = 20;
const retryMsMax = 1_000;
/** Beyond this much unsent data appends are dropped: the peer does not read. */
const unsentBytesMax = 32 * 1024 * 1024;

export class PeerLink {
  readonly #options: LinkOptions;
  readonly #control: LinkStream;
  readonly #bulk: LinkStream;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#control = new LinkStream({ ...options, bulk: false });
    this.#bulk = new LinkStream({ ...options, bulk: true });
  }

  get address(): string {
    return this.#options.address;
  }

  /** For the transfer of a checkpoint. */
  get client(): Client {
    return this.#bulk.client;
  }

  send(message: Message): void {
    (message.kind === 'append' ? this.#bulk : this.#control).send(message);
  }

  /** The peer has shown itself alive: do not wait out the pause. */
  dialNow(): void {
    this.#control.dialNow();
    this.#bulk.dialNow();
  }

  close(): void {
    this.#control.close();
    this.#bulk.close();
  }
}

class LinkStream {
  readonly #options: LinkOptions & { readonly bulk: boolean };
  #client: Client;
  #stream: ClientDuplexStream<object, Frame> | undefined;
  #accepted = false;
  #queue: Message[] = [];
  #retryMs = retryMsFirst;
  #retry: NodeJS.Timeout | undefined;
  /** While a greeting, or room to write, is waited for. */
  #silence: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LinkOptions & { readonly bulk: boolean }) {
    this.#options = options;
    this.#client = this.#connect();
    this.#dial();
  }

  get client(): Client {
    return this.#client;
  }

  send(message: Message): void {
    if (!this.#accepted || this.#stream === undefined) return;
    if (this.#stream.writableLength > unsentBytesMax) return;
    this.#queue.push(message);
    if (this.#queue.length === 1) queueMicrotask(() => this.#flush());
  }

  dialNow(): void {
    if (this.#retry === undefined || this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#retryMs = retryMsFirst;
    this.#dial();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#heard();
    this.#stream?.cancel();
    this.#client.close();
  }

  #flush(): void {
    const messages = this.#queue;
    this.#queue = [];
    const stream = this.#stream;
    if (!this.#accepted || stream === undefined) return;
    if (!stream.write({ messages: messages.map(toWire) })) this.#expect(stream);
  }

  #connect(): Client {
    const { address, credentials, channelOptions } = this.#options;
    return new Client(address, credentials, channelOptions);
  }

  #dial(): void {
    const { path, requestSerialize, responseDeserialize } = raftService.messages;
    const decode = responseDeserialize as unknown as (bytes: Buffer) => Frame;
    const stream = this.#client.makeBidiStreamRequest<object, Frame>(path, requestSerialize, decode);
    this.#stream = stream;
    const { hello, bulk } = this.#options;
    stream.on('data', (frame: Frame) => {
      if (frame.hello) {
        this.#heard();
        this.#accepted = true;
        this.#retryMs = retryMsFirst;
      }
      try {
        this.#options.received(frame);
      } catch (error) {
        // It does not decode: the peer is of another version, or broken. Drop the stream, dial again later.
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    // 'error' is followed by 'close'; the pause there is the reaction, the peer's silence is what the core reacts to.
    stream.on('error', () => {});
    stream.on('drain', () => {
      if (this.#stream === stream) this.#heard();
    });
    stream.once('close', () => this.#ended(stream));
    stream.once('end', () => this.#ended(stream));
    stream.write({ hello: { ...hello, bulk } });
    this.#expect(stream);
  }

  /** Unless it is heard before: another connection. */
  #expect(stream: ClientDuplexStream<object, Frame>): void {
    this.#silence ??= setTimeout(() => {
      const old = this.#client;
      this.#client = this.#connect();
      this.#ended(stream);
      old.close();
    }, this.#options.silenceMsMax).unref();
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #ended(stream: ClientDuplexStream<object, Frame>): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#queue = [];
    this.#heard();
    stream.cancel();
    const wasAccepted = this.#accepted;
    this.#accepted = false;
    if (this.#closed) return;
    const pause = this.#retryMs * (0.5 + Math.random());
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#dial();
    }, pause);
    this.#retry.unref();
    if (wasAccepted) this.#options.broken();
  }
}
