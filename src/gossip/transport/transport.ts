/**
 * What the driver needs from a network: unreliable packets and short request-reply streams. Bytes are as on the wire
 * (encrypted, labelled); who speaks is known only by the packet itself.
 */
import type { Endpoint } from '../swim/types.ts';

/** Bytes as they come, then one `null` when the other side ends, resets or vanishes. */
export type DataCallback = (chunk: Uint8Array | null) => void;

/** An inbound stream: one message each way, then closed. */
export interface InboundStream {
  readonly from: Endpoint;
  onData(callback: DataCallback): void;
  /** Sends what there is to say and closes. */
  end(bytes?: Uint8Array): void;
  destroy(): void;
}

export interface OutboundStream {
  onData(callback: DataCallback): void;
  write(bytes: Uint8Array): void;
  /** Closes once everything is sent. */
  end(): void;
  destroy(): void;
}

export interface TransportHandlers {
  packet(bytes: Uint8Array, from: Endpoint): void;
  stream(stream: InboundStream): void;
  /** A socket failed for good; the node stops. */
  failed(error: Error): void;
}

export interface Transport {
  /** Listens; resolves with the bound endpoint. Rejects with GossipError `bind-failed`. */
  listen(bind: Endpoint, handlers: TransportHandlers): Promise<Endpoint>;
  /** Fire and forget; the callback learns of a local or remote failure, if the system reports one. */
  send(bytes: Uint8Array, to: Endpoint, failed: (error: Error) => void): void;
  /** Rejects when the connection cannot be made within the time. */
  dial(to: Endpoint, timeoutMs: number): Promise<OutboundStream>;
  close(): Promise<void>;
}
