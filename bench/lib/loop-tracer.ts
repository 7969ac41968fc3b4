/**
 * Loaded into a server before its own code (`node --import`): notes each time that the event loop was held, as a line of
 * `<file>`: `{"atMs", "heldMs", "waitedMs"}`. `heldMs` is the time between two turns; `waitedMs` how much of it the main
 * thread stood in line for a CPU, which is the machine's doing and not the program's (from the kernel's schedstat; 0 elsewhere).
 */
import { appendFileSync, openSync, readFileSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Turns closer together than this are not noted, ms. */
const notedMs = 10;
const lookMs = 2;

function openSchedstat(): number | undefined {
  try {
    const tid = readFileSync('/proc/thread-self/stat', 'latin1').split(' ')[0]!;
    return openSync(`/proc/self/task/${tid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
}

function trace(file: string): void {
  const schedstat = openSchedstat();
  const buffer = Buffer.alloc(64);
  /** Milliseconds that this thread was ready to run and did not. */
  const waited = (): number => {
    if (schedstat === undefined) return 0;
    const length = readSync(schedstat, buffer, 0, buffer.length, 0);
    return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  };
  let last = performance.now();
  let lastWaited = waited();
  setInterval(() => {
    const now = performance.now();
    const nowWaited = waited();
    const heldMs = now - last - lookMs;
    if (heldMs > notedMs) {
      const block = { atMs: Date.now(), heldMs: Math.round(heldMs), waitedMs: Math.round(nowWaited - lastWaited) };
      appendFileSync(file, `${JSON.stringify(block)}\n`);
    }
    last = performance.now();
    lastWaited = nowWaited;
  }, lookMs).unref();
}

const file = process.env.HEDDLE_BENCH_LOOP_FILE;
if (file !== undefined && isMainThread) trace(file);
