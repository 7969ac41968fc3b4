/**
 * The network between servers: gRPC bidirectional streams, mutually authenticated when credentials say so.
 *
 * Each server dials every other and sends on its own streams; while it has none to a peer, it answers on the one that the peer
 * opened. Who a peer is, is what its first frame says and `authorizePeer` confirms against its certificate; a frame of another
 * cluster or for another server closes the stream before anything reaches the core.
 */
import {
  type ChannelCredentials,
  credentials,
  Server,
  type ServerCredentials,
  ServerCredentials as ServerCredentialsFactory,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import type { CheckpointOffer, Message } from '../core/messages.ts';
import type { ServerId } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { CheckpointReceiver } from '../state-machine.ts';
import { type Answer, type Part, receiveParts, sendParts } from './checkpoint-stream.ts';
import { PeerLink } from './peer-link.ts';
import { raftService } from './service.ts';
import type { Transport, TransportHandlers } from './transport.ts';
import { checkpointFromWire, type Frame, fromWire, type Hello, toNumber, toWire, type WireOffer } from './wire.ts';

export interface GrpcTransportOptions {
  readonly id: ServerId;
  readonly clusterId: string;
  /** `host:port` to listen on (port 0: any); absent if `register` puts the service on a server of the caller's. */
  readonly listen?: string;
  /** Default: insecure. */
  readonly serverCredentials?: ServerCredentials;
  readonly channelCredentials?: ChannelCredentials;
  readonly channelOptions?: Readonly<Record<string, string | number>>;
  readonly checkpointChunkBytes?: number;
  /** A peer that does not greet back, or makes no room for more, for so long is dialled on another connection, ms. Default: 10 s, more than a busy one takes. */
  readonly silenceMsMax?: number;
  /** Does this certificate (DER; undefined without TLS) belong to a server of the cluster that may call itself `from`? */
  readonly authorizePeer?: (from: ServerId, certificate: Uint8Array | undefined) => boolean;
}

type Inbound = ServerDuplexStream<Frame, object>;

const channelDefaults: Record<string, string | number> = {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': 64 * 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.min_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 500,
};

export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #links = new Map<ServerId, PeerLink>();
  readonly #inbound = new Map<ServerId, Set<Inbound>>();
  #handlers: TransportHandlers | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  /** The port that `listen` got. */
  get port(): number {
    return this.#port;
  }

  /** Puts the service on a gRPC server of the caller's, which binds it and shuts it down. */
  register(server: Server): void {
    server.addService(raftService, {
      messages: (call: Inbound) => this.#accept(call),
      installCheckpoint: (call: ServerDuplexStream<Part, object>) => this.#acceptCheckpoint(call),
    });
  }

  async start(handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers;
    const { listen, serverCredentials } = this.#options;
    if (listen === undefined) return;
    const server = new Server(channelDefaults);
    this.register(server);
    this.#server = server;
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(listen, serverCredentials ?? ServerCredentialsFactory.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  setPeers(addresses: Readonly<Record<ServerId, string>>): void {
    for (const [id, link] of this.#links) {
      if (addresses[id] === link.address) continue;
      this.#links.delete(id);
      link.close();
    }
    for (const [id, address] of Object.entries(addresses)) {
      if (!this.#links.has(id) && address !== '') this.#links.set(id, this.#link(id, address));
    }
  }

  send(message: Message): void {
    const link = this.#links.get(message.to);
    if (link !== undefined) {
      link.send(message);
      return;
    }
    // Not a member that we know of (yet): answer where it asked.
    const [inbound] = this.#inbound.get(message.to) ?? [];
    inbound?.write({ messages: [toWire(message)] });
  }

  async sendCheckpoint(
    offer: CheckpointOffer,
    read: (offset: number, bytesMax: number) => Promise<Uint8Array>,
  ): Promise<void> {
    const link = this.#links.get(offer.to);
    if (link === undefined) throw new RaftError('badPeer', { detail: `no address for ${offer.to}` });
    const { path, requestSerialize, responseDeserialize } = raftService.installCheckpoint;
    const decode = responseDeserialize as unknown as (bytes: Buffer) => Answer;
    const stream = link.client.makeBidiStreamRequest<object, Answer>(path, requestSerialize, decode);
    await sendParts(stream, this.#hello(offer.to), offer, this.#options.checkpointChunkBytes ?? 256 * 1024, read);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    for (const calls of this.#inbound.values()) for (const call of calls) call.end();
    this.#inbound.clear();
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  #hello(to: ServerId): Omit<Hello, 'bulk'> {
    return { clusterId: this.#options.clusterId, from: this.#options.id, to };
  }

  #link(id: ServerId, address: string): PeerLink {
    return new PeerLink({
      address,
      credentials: this.#options.channelCredentials ?? credentials.createInsecure(),
      channelOptions: { ...channelDefaults, ...this.#options.channelOptions },
      hello: this.#hello(id),
      silenceMsMax: this.#options.silenceMsMax ?? 10_000,
      received: (frame) => this.#receive(id, frame),
      broken: () => this.#handlers?.peerBroken(id),
    });
  }

  /** Messages are handed over together; one that does not decode spoils its frame, not the server. */
  #receive(from: ServerId, frame: Frame): void {
    if (frame.messages.length === 0) return;
    this.#handlers?.messages(frame.messages.map((wire) => fromWire(wire, from, this.#options.id)));
  }

  #accept(call: Inbound): void {
    let from: ServerId | undefined;
    call.on('data', (frame: Frame) => {
      try {
        if (from === undefined) {
          from = this.#greet(frame.hello, call.getAuthContext().sslPeerCertificate?.raw);
          const calls = this.#inbound.get(from) ?? new Set();
          this.#inbound.set(from, calls.add(call));
          call.write({ hello: { ...this.#hello(from), bulk: false } });
        }
        this.#receive(from, frame);
      } catch (error) {
        call.emit('error', { code: status.FAILED_PRECONDITION, details: String(error) });
      }
    });
    const ended = (): void => {
      if (from === undefined) return;
      const calls = this.#inbound.get(from);
      if (calls?.delete(call) && calls.size === 0) this.#inbound.delete(from);
      this.#handlers?.peerBroken(from);
      from = undefined;
      call.end();
    };
    call.on('error', ended);
    call.on('cancelled', ended);
    call.on('end', ended);
  }

  /** Whose stream is this? Throws `badPeer` if it has no business here. */
  #greet(hello: Hello | null | undefined, certificate: Uint8Array | undefined): ServerId {
    if (hello === null || hello === undefined)
      throw new RaftError('badPeer', { detail: 'the stream begins without a hello' });
    const { id, clusterId, authorizePeer } = this.#options;
    if (this.#handlers === undefined) throw new RaftError('stopped');
    if (hello.clusterId !== clusterId) {
      throw new RaftError('badPeer', {
        detail: `"${hello.from}" is of cluster "${hello.clusterId}"`,
        from: hello.from,
      });
    }
    if (hello.to !== id) throw new RaftError('badPeer', { detail: `meant for "${hello.to}", this is "${id}"` });
    if (hello.from === '' || hello.from === id)
      throw new RaftError('badPeer', { detail: 'a sender without its own name' });
    if (authorizePeer !== undefined && !authorizePeer(hello.from, certificate)) {
      throw new RaftError('badPeer', { detail: `"${hello.from}" is not authorised`, from: hello.from });
    }
    this.#links.get(hello.from)?.dialNow();
    return hello.from;
  }

  #acceptCheckpoint(call: ServerDuplexStream<Part, object>): void {
    call.on('error', () => {});
    receiveParts(call, (wire) => this.#offered(call, wire)).catch((error: unknown) => {
      call.emit('error', { code: status.FAILED_PRECONDITION, details: String(error) });
    });
  }

  async #offered(call: ServerDuplexStream<Part, object>, wire: WireOffer): Promise<CheckpointReceiver | undefined> {
    const from = this.#greet(wire.hello, call.getAuthContext().sslPeerCertificate?.raw);
    const checkpoint = checkpointFromWire(wire);
    const { id } = this.#options;
    return this.#handlers?.checkpointOffered({ from, to: id, term: toNumber(wire.term), checkpoint });
  }
}
