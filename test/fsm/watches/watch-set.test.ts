/** Who is woken by which write: rows of a table, and one property against a model that tries every waiter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WakeQueue } from '../../../src/fsm/watches/wake-queue.ts';
import { type Waiter, type WakeCause, WatchSet } from '../../../src/fsm/watches/watch-set.ts';

class Named implements Waiter {
  readonly name: string;
  readonly causes: WakeCause[] = [];
  constructor(name: string) {
    this.name = name;
  }
  wake(cause: WakeCause): void {
    this.causes.push(cause);
  }
}
const footprint = (keys: string[], prefixes: string[] = []) => ({ keys: new Set(keys), prefixes: new Set(prefixes) });
const names = (waiters: Waiter[]): string[] => waiters.map((w) => (w as Named).name).sort();

describe('WatchSet', () => {
  it.each([
    { write: 'kv/a', wakes: ['key a', 'kv/', 'everything'] },
    { write: 'kv/ab', wakes: ['kv/', 'kv/ab', 'everything'] },
    { write: 'kv', wakes: ['everything'] },
    { write: 'node/a', wakes: ['everything'] },
  ])('a write to $write wakes exactly $wakes', ({ write, wakes }) => {
    const watches = new WatchSet();
    watches.add(footprint(['kv/a']), new Named('key a'));
    watches.add(footprint([], ['kv/']), new Named('kv/'));
    watches.add(footprint([], ['kv/ab']), new Named('kv/ab'));
    watches.add(footprint([], ['']), new Named('everything'));
    expect(names(watches.fire(write))).toEqual([...wakes].sort());
  });

  it('wakes once: a waiter that fired is gone from all of its keys', () => {
    const watches = new WatchSet();
    watches.add(footprint(['a', 'b'], ['c']), new Named('w'));
    expect(names(watches.fire('a'))).toEqual(['w']);
    expect(watches.fire('b')).toEqual([]);
    expect(watches.fire('cc')).toEqual([]);
    expect(watches.size).toBe(0);
  });

  it('property: fires whom a model that tries every waiter fires', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });
    const waiter = fc.record({ keys: fc.array(name, { maxLength: 3 }), prefixes: fc.array(name, { maxLength: 2 }) });
    fc.assert(
      fc.property(fc.array(waiter, { maxLength: 8 }), fc.array(name, { maxLength: 8 }), (waiters, writes) => {
        const watches = new WatchSet();
        let model = waiters.map((w, i) => ({ ...w, name: String(i) }));
        for (const w of model) watches.add(footprint(w.keys, w.prefixes), new Named(w.name));
        for (const write of writes) {
          const hit = (w: (typeof model)[number]) =>
            w.keys.includes(write) || w.prefixes.some((prefix) => write.startsWith(prefix));
          expect(names(watches.fire(write))).toEqual(
            model
              .filter(hit)
              .map((w) => w.name)
              .sort(),
          );
          model = model.filter((w) => !hit(w));
        }
        expect(watches.size).toBe(model.length);
      }),
    );
  });
});

describe('WakeQueue', () => {
  it('wakes thousands in slices, in order, and lets the loop turn between them', () => {
    let now = 0;
    const turns: (() => void)[] = [];
    const queue = new WakeQueue({ sliceMs: 5, now: () => now, defer: (slice) => turns.push(slice) });
    const order: number[] = [];
    const waiters = Array.from({ length: 100 }, (_, i) => ({
      wake() {
        order.push(i);
        now += 1;
      },
    }));
    queue.push(waiters, 'changed');
    let slices = 0;
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      const before = order.length;
      turn();
      expect(order.length - before).toBeLessThanOrEqual(5);
      slices++;
    }
    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(slices).toBe(20);
  });

  it('a waiter added while waking waits for the next slice of work, not for nothing', () => {
    const turns: (() => void)[] = [];
    const queue = new WakeQueue({ now: () => 0, defer: (slice) => turns.push(slice) });
    const late = new Named('late');
    queue.push([{ wake: () => queue.push([late], 'replaced') }], 'changed');
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
    expect(late.causes).toEqual(['replaced']);
    expect(queue.length).toBe(0);
  });
});
