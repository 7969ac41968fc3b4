/**
 * A network inside one process, for tests and for clusters in a program: reliable, in order, and cut where it is told to.
 * Each delivery is a later turn of the event loop, as with a real network.
 */
import type { CheckpointOffer, Message } from '../core/messages.ts';
import type { ServerId } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { Transport, TransportHandlers } from './transport.ts';

export class MemoryNetwork {
  readonly #handlers = new Map<ServerId, TransportHandlers>();
  readonly #cut = new Set<string>();
  readonly #chunkBytes: number;

  constructor(chunkBytes = 64 * 1024) {
    this.#chunkBytes = chunkBytes;
  }

  transport(id: ServerId): Transport {
    return {
      start: async (handlers) => {
        this.#handlers.set(id, handlers);
      },
      setPeers: () => {},
      send: (message) => this.#deliver(message),
      sendCheckpoint: (offer, read) => this.#sendCheckpoint(offer, read),
      stop: async () => {
        if (!this.#handlers.delete(id)) return;
        for (const handlers of this.#handlers.values()) setImmediate(() => handlers.peerBroken(id));
      },
    };
  }

  /** Nothing passes between the two any more, in the given direction. */
  cut(from: ServerId, to: ServerId): void {
    this.#cut.add(`${from}>${to}`);
  }

  isolate(id: ServerId): void {
    for (const other of this.#handlers.keys()) {
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  #reaches(from: ServerId, to: ServerId): TransportHandlers | undefined {
    return this.#cut.has(`${from}>${to}`) ? undefined : this.#handlers.get(to);
  }

  #deliver(message: Message): void {
    setImmediate(() => this.#reaches(message.from, message.to)?.messages([message]));
  }

  async #sendCheckpoint(
    offer: CheckpointOffer,
    read: (offset: number, bytesMax: number) => Promise<Uint8Array>,
  ): Promise<void> {
    const reach = (): TransportHandlers => {
      const handlers = this.#reaches(offer.from, offer.to);
      if (handlers === undefined) throw new RaftError('badPeer', { detail: `${offer.to} is out of reach` });
      return handlers;
    };
    const receiver = await reach().checkpointOffered(offer);
    if (receiver === undefined) return;
    try {
      for (let offset = receiver.offset; offset < offer.checkpoint.sizeBytes; ) {
        const chunk = await read(offset, this.#chunkBytes);
        reach();
        await receiver.write(chunk);
        offset += chunk.length;
      }
      await receiver.finish();
    } catch (error) {
      await receiver.abort();
      throw error;
    }
  }
}
