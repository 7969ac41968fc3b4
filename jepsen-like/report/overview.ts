/** The top of a report: what was done to the servers and how it felt to clients, before any detail. */
import type { Fault, Operation } from '../history.ts';

/** One row for each fault: when, what, and what clients noticed while it lasted. */
export function faultTable(
  faults: readonly Fault[],
  operations: readonly Operation[],
  leaders: readonly { readonly leader: number | undefined; readonly fromMs: number }[],
  html: (text: string) => string,
): string {
  if (faults.length === 0) return '<p>No fault was put in.</p>';
  const rows = faults.map(({ nemesis, what, startMs, endMs }) => {
    const during = operations.filter((operation) => operation.startMs < endMs && operation.endMs > startMs);
    const good = during.filter(({ outcome }) => outcome === 'ok');
    const unknown = during.filter(({ outcome }) => outcome === 'unknown').length;
    const changes = leaders.filter(({ leader, fromMs }) => leader !== undefined && fromMs > startMs && fromMs < endMs);
    return `<tr><td class="number">${seconds(startMs)}</td><td class="number">${seconds(endMs - startMs)}</td><td><b>${html(nemesis)}</b></td><td>${html(what)}</td><td class="number">${good.length}</td><td class="number">${unknown}</td><td class="number">${milliseconds(longestGap(good, startMs, endMs))}</td><td>${changes.length === 0 ? 'stays' : changes.map(({ leader }) => `server ${leader}`).join(', ')}</td></tr>`;
  });
  return `<table><thead><tr><th>at</th><th>for</th><th>fault</th><th></th><th>acknowledged</th><th>unknown</th><th>longest silence</th><th>new leader</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** Middle and bad latencies of what was acknowledged: `median 12 ms, 99% 340 ms, worst 2.1 s`. */
export function latencies(operations: readonly Operation[]): string {
  const times = operations
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ startMs, endMs }) => endMs - startMs)
    .sort((a, b) => a - b);
  if (times.length === 0) return 'nothing was acknowledged';
  const at = (share: number): string =>
    milliseconds(times[Math.min(times.length - 1, Math.floor(times.length * share))]!);
  return `median ${at(0.5)}, 99% ${at(0.99)}, worst ${at(1)}`;
}

/** The longest time between two answers that acknowledge something, edges of the fault included. */
function longestGap(good: readonly Operation[], startMs: number, endMs: number): number {
  const ends = good.map((operation) => operation.endMs).filter((ms) => ms >= startMs && ms <= endMs);
  let before = startMs;
  let longest = 0;
  for (const ms of [...ends.sort((a, b) => a - b), endMs]) {
    longest = Math.max(longest, ms - before);
    before = ms;
  }
  return longest;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const milliseconds = (ms: number): string =>
  ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : seconds(ms);
