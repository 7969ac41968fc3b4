/**
 * What went through, as plain numbers that whoever wants them reads: a log line, a metrics endpoint, a test. Bytes are
 * counted on the application's side of the proxy, so they are the application's bytes, without TLS.
 */
import type { InboundRefusal, UpstreamFailure } from './errors.ts';

export interface Traffic {
  /** Connections spliced so far, and those open now. */
  connections: number;
  active: number;
  /** Towards the service that was asked, and back. */
  bytesSent: number;
  bytesReceived: number;
}

export interface InboundCounters extends Traffic {
  readonly refused: Partial<Record<InboundRefusal, number>>;
  /** By source service; at most `sourcesMax` names, the rest under `other`. */
  readonly sources: Map<string, Traffic & { refused: number }>;
}

export interface UpstreamCounters extends Traffic {
  readonly failed: Partial<Record<UpstreamFailure, number>>;
  /** Dials that failed and were followed by another instance. */
  retries: number;
}

export interface ProxyCounters {
  readonly inbound: InboundCounters;
  readonly upstreams: Map<string, UpstreamCounters>;
}

/** A peer chooses its certificate, not how much memory it takes here. */
const sourcesMax = 1_000;

const traffic = (): Traffic => ({ connections: 0, active: 0, bytesSent: 0, bytesReceived: 0 });

export function newCounters(): ProxyCounters {
  return { inbound: { ...traffic(), refused: {}, sources: new Map() }, upstreams: new Map() };
}

export function sourceCounters(inbound: InboundCounters, source: string): Traffic & { refused: number } {
  const name = inbound.sources.has(source) || inbound.sources.size < sourcesMax ? source : 'other';
  const known = inbound.sources.get(name);
  if (known !== undefined) return known;
  const fresh = { ...traffic(), refused: 0 };
  inbound.sources.set(name, fresh);
  return fresh;
}

export function upstreamCounters(counters: ProxyCounters, name: string): UpstreamCounters {
  const known = counters.upstreams.get(name);
  if (known !== undefined) return known;
  const fresh = { ...traffic(), failed: {}, retries: 0 };
  counters.upstreams.set(name, fresh);
  return fresh;
}

export function bump<K extends string>(table: Partial<Record<K, number>>, key: K): void {
  table[key] = (table[key] ?? 0) + 1;
}

/** Counts one connection into every table given; the returned functions add bytes and close it. */
export function opened(tables: readonly Traffic[]): { bytes(sent: number, received: number): void; closed(): void } {
  for (const table of tables) {
    table.connections += 1;
    table.active += 1;
  }
  let seenSent = 0;
  let seenReceived = 0;
  return {
    bytes: (sent, received) => {
      for (const table of tables) {
        table.bytesSent += sent - seenSent;
        table.bytesReceived += received - seenReceived;
      }
      seenSent = sent;
      seenReceived = received;
    },
    closed: () => {
      for (const table of tables) table.active -= 1;
    },
  };
}

/** One counter as metrics systems know it; values only grow while a process lives. */
export interface MetricValue {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Every counter by name and labels. Each name always has the same label names. */
export function metricValues({ inbound, upstreams }: ProxyCounters): readonly MetricValue[] {
  const values: MetricValue[] = [];
  const add = (name: string, labels: MetricValue['labels'], value: number): void => {
    if (value > 0) values.push({ name: `proxy.${name}`, labels, value });
  };
  for (const [source, traffic] of inbound.sources) {
    add('inbound.connections', { source }, traffic.connections);
    add('inbound.bytes_received', { source }, traffic.bytesSent);
    add('inbound.bytes_sent', { source }, traffic.bytesReceived);
    add('inbound.denied', { source }, traffic.refused);
  }
  for (const [refusal, count] of Object.entries(inbound.refused)) add('inbound.refused', { refusal }, count);
  for (const [upstream, traffic] of upstreams) {
    add('upstream.connections', { upstream }, traffic.connections);
    add('upstream.bytes_sent', { upstream }, traffic.bytesSent);
    add('upstream.bytes_received', { upstream }, traffic.bytesReceived);
    add('upstream.retries', { upstream }, traffic.retries);
    for (const [failure, count] of Object.entries(traffic.failed)) add('upstream.failed', { upstream, failure }, count);
  }
  return values;
}
