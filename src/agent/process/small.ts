/**
 * Keeps the process of a client agent small: one runs on every host, nearly always at rest. Node's defaults spend memory on
 * speed that such a process never uses.
 *
 * - The optimising compiler (4 MB of Node's code, and what it leaves in each of its threads) is for functions that are hot in
 *   earnest. V8 compiles what ran a few thousand times since the start, and so does it for the walk along the paths of the
 *   modules; here a function must keep a core busy for a moment first.
 * - The young generation stays at its first size. At rest it would grow with all that ever survived, up to 16 MB twice.
 * - What the start leaves behind (a third of the heap) is collected once, and its pages are given back.
 *
 * These are settings of a whole process: an agent inside of another program leaves that program's alone. A server keeps
 * Node's own.
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../../std/clock.ts';

/** After the start: long enough that the agent has joined, synchronised and opened its streams. */
const settleMs = 10_000;

interface Optimisation {
  readonly node: readonly string[];
  readonly start: readonly string[];
  readonly client: readonly string[];
}

/**
 * When a function is optimised, by V8's major version: the names are no interface, and V8 complains on standard error about
 * one that it does not know. Versions that are not here keep their own. In V8 11 (Node 20) the budget is in bytes of bytecode
 * that one function runs; the second flag lets tiny functions in earlier.
 */
const optimisation: Readonly<Record<string, Optimisation>> = {
  '11': {
    node: ['--interrupt-budget=67584', '--max-bytecode-size-for-early-opt=81'],
    start: ['--interrupt-budget=2000000', '--max-bytecode-size-for-early-opt=0'],
    client: ['--interrupt-budget=20000000'],
  },
};

/** Before the code of an agent is loaded, when it is not known yet what it will be: `becomeServer` or `becomeClient` follows. */
export function beginAgent(): void {
  set(ofThisNode()?.start);
}

export function becomeServer(): void {
  set(ofThisNode()?.node);
}

export function becomeClient(): void {
  set(ofThisNode()?.client);
  set(['--semi-space-growth-factor=1']);
}

/** Collects what the start left behind, once the agent has settled. Returns what calls it off. */
export function collectWhenSettled(clock: Clock): () => void {
  return clock.after(settleMs, () => void collect());
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

function ofThisNode(): Optimisation | undefined {
  return optimisation[process.versions.v8.split('.')[0]!];
}

function set(flags: readonly string[] = []): void {
  for (const flag of flags) setFlagsFromString(flag);
}
