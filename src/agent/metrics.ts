/**
 * What is measured: gauges that are read when asked for, counters and samples that are gathered. Gathered values are kept
 * in intervals of ten seconds for a minute (the JSON form), and, where Prometheus is enabled, in its registry too.
 */
import { performance } from 'node:perf_hooks';
import { interfaceVersion } from '../version.ts';

export type Labels = Readonly<Record<string, string>>;

interface Aggregate {
  readonly name: string;
  readonly labels: Labels;
  count: number;
  sum: number;
  squares: number;
  min: number;
  max: number;
}

interface Interval {
  readonly startMs: number;
  readonly counters: Map<string, Aggregate>;
  readonly samples: Map<string, Aggregate>;
}

interface Gauge {
  readonly name: string;
  readonly labels: Labels;
  readonly read: () => number;
}

const intervalMs = 10_000;
const intervalsKept = 6;

/** What goes to Prometheus as it happens. */
interface PrometheusSide {
  count(name: string, labels: Labels, value: number): void;
  sample(name: string, labels: Labels, value: number): void;
  expose(gauges: readonly Gauge[]): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  readonly prefix: string;
  /** Serve Prometheus. */
  readonly prometheus: boolean;
  readonly nowMs: () => number;
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #gauges: Gauge[] = [];
  #intervals: Interval[] = [];
  #side: PrometheusSide | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#addRuntime();
  }

  gauge(name: string, read: () => number, labels: Labels = {}): void {
    this.#gauges.push({ name: `${this.#options.prefix}.${name}`, labels, read });
  }

  count(name: string, labels: Labels = {}, value = 1): void {
    const full = `${this.#options.prefix}.${name}`;
    add(this.#current().counters, full, labels, value);
    this.#side?.count(full, labels, value);
  }

  /** Usually milliseconds. */
  sample(name: string, value: number, labels: Labels = {}): void {
    const full = `${this.#options.prefix}.${name}`;
    add(this.#current().samples, full, labels, value);
    this.#side?.sample(full, labels, value);
  }

  /** Loads what Prometheus needs; called once the agent is up, since it takes longer than starting does. */
  async enablePrometheus(): Promise<void> {
    if (!this.#options.prometheus || this.#side !== undefined) return;
    const { prometheusSide } = await import('./metrics-prometheus.ts');
    this.#side ??= prometheusSide();
  }

  async prometheus(): Promise<{ readonly contentType: string; readonly text: string } | undefined> {
    if (!this.#options.prometheus) return undefined;
    await this.enablePrometheus();
    return this.#side?.expose(this.#gauges);
  }

  /** The last whole interval, or the running one while it is the first. */
  json(): unknown {
    this.#current();
    const interval = this.#intervals.at(-2) ?? this.#intervals.at(-1)!;
    const time = new Date(interval.startMs).toISOString().replace('T', ' ').replace(/\..*/, ' +0000 UTC');
    const gauges = this.#gauges.map(({ name, labels, read }) => ({ Name: name, Value: read(), Labels: labels }));
    return {
      Timestamp: time,
      Gauges: gauges.filter((gauge) => Number.isFinite(gauge.Value)).sort(byName),
      Points: [],
      Counters: [...interval.counters.values()].map(shown).sort(byName),
      Samples: [...interval.samples.values()].map(shown).sort(byName),
    };
  }

  #current(): Interval {
    const startMs = Math.floor(this.#options.nowMs() / intervalMs) * intervalMs;
    const last = this.#intervals.at(-1);
    if (last !== undefined && last.startMs === startMs) return last;
    const interval: Interval = { startMs, counters: new Map(), samples: new Map() };
    this.#intervals = [...this.#intervals.slice(1 - intervalsKept), interval];
    return interval;
  }

  #addRuntime(): void {
    this.gauge('runtime.alloc_bytes', () => process.memoryUsage().heapUsed);
    this.gauge('runtime.sys_bytes', () => process.memoryUsage.rss());
    this.gauge('runtime.num_goroutines', () => process.getActiveResourcesInfo().length);
    this.gauge('runtime.event_loop_utilization', () => performance.eventLoopUtilization().utilization);
    this.gauge('version', () => 1, { version: interfaceVersion, pre_release: '' });
  }
}

function add(into: Map<string, Aggregate>, name: string, labels: Labels, value: number): void {
  const key = `${name} ${JSON.stringify(labels)}`;
  const known = into.get(key);
  if (known === undefined) {
    into.set(key, { name, labels, count: 1, sum: value, squares: value * value, min: value, max: value });
    return;
  }
  known.count++;
  known.sum += value;
  known.squares += value * value;
  known.min = Math.min(known.min, value);
  known.max = Math.max(known.max, value);
}

function shown({ name, labels, count, sum, squares, min, max }: Aggregate) {
  const spread = count < 2 ? 0 : Math.sqrt(Math.max(0, (count * squares - sum * sum) / (count * (count - 1))));
  return {
    Name: name,
    Count: count,
    Rate: sum / (intervalMs / 1000),
    Sum: sum,
    Min: min,
    Max: max,
    Mean: sum / count,
    Stddev: spread,
    Labels: labels,
  };
}

const byName = (a: { readonly Name: string }, b: { readonly Name: string }): number =>
  a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0;
