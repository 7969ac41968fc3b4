/** What happens next in virtual time: a binary heap by time, and by order of planting among equals. */
interface Planned {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

const progressEvents = 100_000;

export class EventQueue {
  private readonly heap: Planned[] = [];
  private sequence = 0;
  nowMs = 0;
  /** Events executed so far. */
  executed = 0;
  /** Called now and then while events run: for whoever waits. */
  progress: () => void = () => undefined;

  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.nowMs), sequence: this.sequence++, run };
    let child = this.heap.push(entry) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (before(this.heap[parent]!, entry)) break;
      this.heap[child] = this.heap[parent]!;
      child = parent;
    }
    this.heap[child] = entry;
  }

  /** Runs everything up to a moment, which is then now. `step` sees the time before each event. */
  runUntil(untilMs: number): void {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs; next = this.heap[0]) {
      this.removeFirst();
      this.nowMs = next.atMs;
      if (++this.executed % progressEvents === 0) this.progress();
      next.run();
    }
    this.nowMs = untilMs;
  }

  private removeFirst(): void {
    const last = this.heap.pop()!;
    const { length } = this.heap;
    if (length === 0) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= length) break;
      if (child + 1 < length && before(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (before(last, this.heap[child]!)) break;
      this.heap[parent] = this.heap[child]!;
      parent = child;
    }
    this.heap[parent] = last;
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
