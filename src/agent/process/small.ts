/**
 * Keeps the process of a client agent small: one runs on every host, nearly always at rest. Node's defaults spend memory on
 * speed, and keep it.
 *
 * - The optimising compilers (two since V8 13): 4 MB of Node's code that are paged in with the first function they are asked for,
 *   such as the walk along the paths of the modules at the start, and what they leave in each of their threads. At rest nothing
 *   is optimised.
 * - The young generation: it grows with all that ever survived, up to 16 MB twice. At rest it does not grow.
 * - What the start left behind, or a busy time: a third of the heap. It is collected once, and its pages are given back.
 *
 * A client that has work to do (a tenth of a core, seen within a second) has Node's own settings until it rests again. A server
 * has Node's own compiler, always, and a heap as large as its work asks for (`server-heap.ts`). These are settings of a whole process: an agent inside of another program leaves that program's alone.
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../../std/clock.ts';
import { fitHeap } from './server-heap.ts';

/** After the start: long enough that the agent has joined, synchronised and opened its streams. */
const settleMs = 10_000;
const sampleMs = 1_000;
/** Shares of a core. An agent at rest uses 0.003. */
const busyShare = 0.1;
const restShare = 0.05;
/** For so long below `restShare`, ms. */
const restAfterMs = 60_000;

/** V8 13, of Node 24, is the first that has Maglev on; on an earlier one work must not turn it on. */
const hasMaglev = Number.parseInt(process.versions.v8, 10) >= 13;

const settings = {
  rest: ['--no-opt', '--semi-space-growth-factor=1', ...(hasMaglev ? ['--no-maglev'] : [])],
  work: ['--opt', '--semi-space-growth-factor=2', ...(hasMaglev ? ['--maglev'] : [])],
};

/** Before the code of an agent is loaded, when it is not known yet what it will be. */
export function beginAgent(): void {
  set('rest');
}

/** `connections`: how many clients it has, by which its heap is measured. Returns how to end that. */
export function becomeServer(connections: () => number): () => void {
  set('work');
  return fitHeap(connections);
}

export interface ClientEdges {
  readonly clock: Clock;
  /** Processor time of the process so far, ms. */
  cpuMs(): number;
  set(mode: keyof typeof settings): void;
  /** Gives back what is garbage. */
  collect(): void;
}

const system: Omit<ClientEdges, 'clock'> = {
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  set,
  collect: () => void collect(),
};

/** To be called when the agent runs. Returns how to end it. */
export function becomeClient(clock: Clock, edges: Omit<ClientEdges, 'clock'> = system): () => void {
  edges.set('rest');
  let cancel = clock.after(settleMs, () => {
    edges.collect();
    sample(false, 0);
  });
  /** One sample, and then the next: `quietMs` counts only while there is work. */
  function sample(working: boolean, quietMs: number): void {
    const [fromMs, fromCpuMs] = [clock.monotonicMs(), edges.cpuMs()];
    cancel = clock.after(sampleMs, () => {
      const tookMs = clock.monotonicMs() - fromMs;
      const share = (edges.cpuMs() - fromCpuMs) / tookMs;
      if (!working) {
        if (share >= busyShare) edges.set('work');
        return sample(share >= busyShare, 0);
      }
      const quiet = share < restShare ? quietMs + tookMs : 0;
      if (quiet < restAfterMs) return sample(true, quiet);
      edges.set('rest');
      edges.collect();
      sample(false, 0);
    });
  }
  return () => cancel();
}

/** A full collection that also shrinks the heap: what V8 does when the system is short of memory. */
async function collect(): Promise<void> {
  // A Node that was built without it: V8 collects in its own time.
  if (!process.features.inspector) return;
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  // Disconnected later: a session that is disconnected while it answers never returns, and the process stands still.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
}

function set(mode: keyof typeof settings): void {
  for (const flag of settings[mode]) setFlagsFromString(flag);
}
