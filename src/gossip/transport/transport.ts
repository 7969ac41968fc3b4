/**
 * What the driver needs from a network: unreliable packets and short request-reply streams. Bytes are as on the wire
 * (encrypted, labelled); who speaks is known only by the packet itself.
 */
export interface Endpoint {
  /** IP address in text form. */
  readonly address: string;
  readonly port: number;
}

/** An inbound stream: one message each way, then closed. */
export interface InboundStream {
  readonly from: Endpoint;
  /** Bytes as they come; the callback gets each chunk, `null` at the other side's end or on an error. */
  onData(callback: (chunk: Uint8Array | null) => void): void;
  /** Sends what there is to say and closes. */
  end(bytes?: Uint8Array): void;
  destroy(): void;
}

export interface OutboundStream {
  onData(callback: (chunk: Uint8Array | null) => void): void;
  write(bytes: Uint8Array): void;
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
