/** What the driver asks of a network. Messages may be lost, late, doubled or out of order; never altered. */
import type { CheckpointOffer, Message } from '../core/messages.ts';
import type { ServerId } from '../core/types.ts';
import type { CheckpointReceiver } from '../state-machine.ts';

export interface TransportHandlers {
  /** Messages that arrived together. */
  messages(batch: readonly Message[]): void;
  /** The connection with this peer broke (not: could not be made). A hint that it may be dead. */
  peerBroken(peer: ServerId): void;
  /** A peer offers a checkpoint. Undefined: it is not wanted. `finish` of the result resolves once it is installed. */
  checkpointOffered(offer: CheckpointOffer): Promise<CheckpointReceiver | undefined>;
}

export interface Transport {
  start(handlers: TransportHandlers): Promise<void>;
  /** Where the other servers are; replaces what was said before. */
  setPeers(addresses: Readonly<Record<ServerId, string>>): void;
  /** Queues a message; drops it when the peer is out of reach or its queue is full. Never throws. */
  send(message: Message): void;
  /** Sends a checkpoint in chunks. Resolves when the receiver has installed it (or did not need it), rejects if it broke. */
  sendCheckpoint(
    offer: CheckpointOffer,
    read: (offset: number, bytesMax: number) => Promise<Uint8Array>,
  ): Promise<void>;
  stop(): Promise<void>;
}
