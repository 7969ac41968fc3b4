/**
 * Processor time of another process, from /proc: what a request costs whatever else runs on the machine. Wall-clock figures
 * of two servers measured one after the other compare the neighbours as much as the servers.
 */
import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second. */
const tickUs = 10_000;

/** User and system time so far, in microseconds; NaN where there is no /proc. */
function cpuUsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickUs;
  } catch {
    return Number.NaN;
  }
}

/** Runs a load and says what each request cost the process, in microseconds. */
export async function cpuPerRequest<T extends { readonly requests: number; readonly perSecond: number }>(
  pid: number,
  warmupShare: number,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuUs: number }> {
  const before = cpuUsOf(pid);
  const result = await run();
  // Requests of the warm-up are not counted by the load, but cost as much.
  return { result, cpuUs: (cpuUsOf(pid) - before) / (result.requests * (1 + warmupShare)) };
}
