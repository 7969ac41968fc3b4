/** The heap of a server's process: small with few connections, V8's own affair with many, and left alone where it was not tried. */
import { expect, it } from 'vitest';
import { fitHeap, type HeapEdges } from '../../../src/agent/process/server-heap.ts';

class FakeHeap implements HeapEdges {
  readonly version: string;
  readonly flags: string[] = [];
  youngMiB = 2;
  stopped = false;
  look = (): void => {};

  constructor(version = '11.3.244.8-node.30') {
    this.version = version;
  }

  setFlags = (flags: string): void => void this.flags.push(flags);
  youngBytes = (): number => this.youngMiB * 1024 * 1024;
  every = (_: number, callback: () => void): (() => void) => {
    this.look = callback;
    return () => {
      this.stopped = true;
    };
  };
}

const small = '--semi-space-growth-factor=1 --heap-growing-percent=50';

it('the young generation grows to its bound and stops there', () => {
  const heap = new FakeHeap();
  fitHeap(() => 64, heap);
  heap.youngMiB = 4;
  heap.look();
  expect(heap.flags).toEqual(['--semi-space-growth-factor=2 --heap-growing-percent=50']);
  heap.youngMiB = 8;
  heap.look();
  expect(heap.flags.at(-1)).toBe(small);
});

it('many connections lift the bounds, and fewer bring them back', () => {
  const heap = new FakeHeap();
  let connections = 0;
  heap.youngMiB = 8;
  const stop = fitHeap(() => connections, heap);
  connections = 512;
  heap.look();
  connections = 64;
  heap.look();
  expect(heap.flags).toEqual([small, '--semi-space-growth-factor=2 --heap-growing-percent=0', small]);
  stop();
  expect(heap.stopped).toBe(true);
});

it.each(['11.3.244.8-node.30', '12.4.254.21-node.33', '13.6.233.17-node.53', '14.6.202.34-node.34'])(
  'V8 %s was tried',
  (version) => {
    const heap = new FakeHeap(version);
    heap.youngMiB = 8;
    fitHeap(() => 0, heap);
    expect(heap.flags).toEqual([small]);
  },
);

it('a V8 that was not tried is left alone', () => {
  const heap = new FakeHeap('15.0.1-node.1');
  fitHeap(() => 0, heap);
  heap.look();
  expect(heap.flags).toEqual([]);
});
