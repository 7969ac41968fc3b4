/**
 * How much memory V8 takes for the objects of a server's process. By default the young generation grows to twice 16 MB with whatever
 * survives the start, and the old one to several times what is in use: a third of a server's memory, for a speed that it needs only
 * with hundreds of clients. What survives a scavenge are the requests under way, so their number decides:
 *
 *   few    the young generation stops at twice 4 MB, the old one is collected when it has grown by half
 *   many   both are V8's own affair; a small young generation would copy the same requests again and again
 *
 * Measured with 64 writing clients: 60 MiB of own memory a server and not 80, for the same CPU seconds; on Node 22, 24 and 26 58, 66
 * and 69 MiB and not 71, 80 and 85.
 *
 * The flags are read at each collection. They are set where they were tried, and like those of `small.ts` for a whole process only.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** V8 11 to 14, of Node 20 to 26. */
const triedVersion = /^1[1-4]\./;
const youngBytesMax = 2 * 4 * 1024 * 1024;
/** With so many connections the requests under way fill a fifth of a small young generation. */
const manyConnections = 128;
const lookMs = 100;

export interface HeapEdges {
  readonly version: string;
  readonly setFlags: (flags: string) => void;
  /** What the young generation takes, both halves, bytes. */
  readonly youngBytes: () => number;
  /** Calls back again and again; returns how to stop. */
  readonly every: (ms: number, callback: () => void) => () => void;
}

const v8Edges: HeapEdges = {
  version: process.versions.v8,
  setFlags: setFlagsFromString,
  youngBytes: () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0,
  every: (ms, callback) => {
    const timer = setInterval(callback, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Lets the heap of a server be as large as its connections ask for, from now on. Returns how to stop. */
export function fitHeap(connections: () => number, edges: HeapEdges = v8Edges): () => void {
  if (!triedVersion.test(edges.version)) return () => {};
  let set = '';
  const look = (): void => {
    const many = connections() >= manyConnections;
    const mayGrow = many || edges.youngBytes() < youngBytesMax;
    const flags = `--semi-space-growth-factor=${mayGrow ? 2 : 1} --heap-growing-percent=${many ? 0 : 50}`;
    if (flags !== set) edges.setFlags(flags);
    set = flags;
  };
  look();
  return edges.every(lookMs, look);
}
