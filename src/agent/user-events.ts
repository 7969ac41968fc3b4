/**
 * The agent's user events: sends them through gossip and keeps the last ones that concern this agent. On the wire an event
 * is Serf's `consul:event:NAME` with a msgpack map, so agents of the reference in one pool understand it
 * (`reference/gossip-wire.md` in our words: "user event").
 */
import { randomUUID } from 'node:crypto';
import { Packr } from 'msgpackr';
import type { Caller } from '../api/backend.ts';
import type { Events, UserEvent, UserEventRequest } from '../api/events.ts';
import { compileRegexp } from '../api/filter/index.ts';
import { HeddleError } from '../std/errors.ts';

/** How events travel. `send` throws what gossip says of a message that it refuses. */
export interface EventTransport {
  send(name: string, payload: Uint8Array): void;
  receive(delivered: (name: string, payload: Uint8Array, lamportTime: number) => void): () => void;
}

export interface UserEventsOptions {
  readonly nodeName: string;
  readonly datacenter: string;
  readonly transport: EventTransport;
  /** Services of this agent, for filters. */
  readonly services: () => Iterable<{ readonly ID: string; readonly Tags: readonly string[] | null }>;
}

const keptMax = 256;
const namePrefix = 'consul:event:';
const version = 1;
const codec = new Packr({ useRecords: false, variableMapSize: true });

export class UserEvents implements Events {
  readonly #options: UserEventsOptions;
  readonly #kept: UserEvent[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #stop: () => void;

  constructor(options: UserEventsOptions) {
    this.#options = options;
    this.#stop = options.transport.receive((name, payload, lamportTime) => this.#take(name, payload, lamportTime));
  }

  async fire(request: UserEventRequest, { datacenter }: Caller): Promise<UserEvent> {
    if (datacenter !== '' && datacenter !== this.#options.datacenter) {
      throw new HeddleError('noPath', 'No path to datacenter', { datacenter });
    }
    const event = { ...request, ID: randomUUID(), Version: version, LTime: 0 };
    try {
      this.#options.transport.send(namePrefix + event.Name, encode(event));
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      const text = `1 error occurred:\n\t* error broadcasting event to segment "": ${error.message}\n\n`;
      throw new HeddleError('eventRefused', text, error.fields, { cause: error });
    }
    return event;
  }

  list(): readonly UserEvent[] {
    return this.#kept;
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  close(): void {
    this.#stop();
  }

  #take(name: string, payload: Uint8Array, lamportTime: number): void {
    if (!name.startsWith(namePrefix)) return;
    const event = decode(payload, lamportTime);
    if (event === undefined || !this.#concerns(event)) return;
    this.#kept.push(event);
    if (this.#kept.length > keptMax) this.#kept.shift();
    for (const changed of this.#watchers) changed();
  }

  #concerns({ NodeFilter, ServiceFilter, TagFilter }: UserEvent): boolean {
    if (NodeFilter !== '' && !matches(NodeFilter, this.#options.nodeName)) return false;
    if (ServiceFilter === '') return true;
    for (const { ID, Tags } of this.#options.services()) {
      if (!matches(ServiceFilter, ID)) continue;
      if (TagFilter === '' || (Tags ?? []).some((tag) => matches(TagFilter, tag))) return true;
    }
    return false;
  }
}

/** A filter from elsewhere that cannot be read concerns nobody. */
function matches(pattern: string, text: string): boolean {
  const compiled = compileRegexp(pattern);
  return compiled.ok && compiled.value.test(text);
}

function encode({ ID, Name, Payload, NodeFilter, ServiceFilter, TagFilter }: UserEvent): Uint8Array {
  return codec.pack({
    ID,
    n: Name,
    ...(Payload === null ? {} : { p: Buffer.from(Payload) }),
    ...(NodeFilter === '' ? {} : { nf: NodeFilter }),
    ...(ServiceFilter === '' ? {} : { sf: ServiceFilter }),
    ...(TagFilter === '' ? {} : { tf: TagFilter }),
    v: version,
  });
}

/** Undefined for what is no event of ours: it came from the network. */
function decode(bytes: Uint8Array, LTime: number): UserEvent | undefined {
  let map: unknown;
  try {
    map = codec.unpack(bytes);
  } catch {
    return undefined;
  }
  if (typeof map !== 'object' || map === null) return undefined;
  const { ID, n, p, nf, sf, tf, v } = map as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text(ID)) || text(n) === '') return undefined;
  return {
    ID: text(ID),
    Name: text(n),
    Payload: p instanceof Uint8Array ? new Uint8Array(p) : null,
    NodeFilter: text(nf),
    ServiceFilter: text(sf),
    TagFilter: text(tf),
    Version: typeof v === 'number' ? v : 0,
    LTime,
  };
}

/** Serf's limit on name and payload together. */
const eventBytesMax = 512;

/** For an agent without a pool: what it sends, it alone receives. */
export function loopbackTransport(): EventTransport {
  const receivers = new Set<(name: string, payload: Uint8Array, lamportTime: number) => void>();
  let lamportTime = 1;
  return {
    send(name, payload) {
      if (Buffer.byteLength(name) + payload.byteLength > eventBytesMax) {
        const text = `user event exceeds configured limit of ${eventBytesMax} bytes before encoding`;
        throw new HeddleError('eventTooLarge', text, { bytes: payload.byteLength });
      }
      lamportTime++;
      for (const receive of receivers) receive(name, payload, lamportTime);
    },
    receive(delivered) {
      receivers.add(delivered);
      return () => void receivers.delete(delivered);
    },
  };
}
