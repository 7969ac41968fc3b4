/** The Prometheus form of what `metrics.ts` gathers. Dots and dashes become `_`; samples are summaries. */
import { Counter, collectDefaultMetrics, Gauge, Registry, Summary } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

const quantiles = [0.5, 0.9, 0.99];
const windowSeconds = 60;

export function prometheusSide() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const summaries = new Map<string, Summary>();
  const gauges = new Map<string, Gauge>();
  return {
    count(name: string, labels: Labels, value: number): void {
      const key = promName(name);
      const counter = made(counters, key, () => new Counter({ ...described(key, labels), registers: [registry] }));
      counter.inc({ ...labels }, value);
    },
    sample(name: string, labels: Labels, value: number): void {
      const key = promName(name);
      const settings = { percentiles: quantiles, maxAgeSeconds: windowSeconds, ageBuckets: 6 };
      const summary = made(
        summaries,
        key,
        () => new Summary({ ...described(key, labels), ...settings, registers: [registry] }),
      );
      summary.observe({ ...labels }, value);
    },
    async expose(all: readonly { readonly name: string; readonly labels: Labels; readonly read: () => number }[]) {
      for (const { name, labels, read } of all) {
        const key = promName(name);
        const gauge = made(gauges, key, () => new Gauge({ ...described(key, labels), registers: [registry] }));
        gauge.set({ ...labels }, read());
      }
      return { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: await registry.metrics() };
    },
  };
}

function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  let item = map.get(key);
  if (item === undefined) {
    item = make();
    map.set(key, item);
  }
  return item;
}

const promName = (name: string): string => name.replace(/[^A-Za-z0-9_]/g, '_');
const described = (name: string, labels: Labels) => ({ name, help: name, labelNames: Object.keys(labels) });
