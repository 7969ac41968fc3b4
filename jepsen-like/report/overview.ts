/** What each fault did to clients, and the few numbers that say how they fared. */
import type { Fault, Operation } from '../history.ts';
import type { Leadership } from '../real/drive.ts';
import { html, milliseconds, seconds } from './page.ts';

/** One row for each fault: when, what, the proof that it bit, and what clients noticed while it lasted. */
export function faultTable(
  faults: readonly Fault[],
  operations: readonly Operation[],
  leaders: readonly Leadership[],
): string {
  if (faults.length === 0) return '<p>No fault was put in.</p>';
  const rows = faults.map(({ nemesis, what, startMs, endMs, proof }) => {
    const during = operations.filter((operation) => operation.startMs < endMs && operation.endMs > startMs);
    const good = during.filter(({ outcome }) => outcome === 'ok');
    const unknown = during.filter(({ outcome }) => outcome === 'unknown').length;
    const led = leaders.filter(({ leader, fromMs }) => leader !== undefined && fromMs > startMs && fromMs < endMs);
    const numbers = [String(good.length), String(unknown), milliseconds(longestGap(good, startMs, endMs))];
    return `<tr><td class="number">${seconds(startMs)}</td><td class="number">${seconds(endMs - startMs)}</td><td><b>${html(nemesis)}</b></td><td>${html(what)}<br><span class="quiet">${html(proof ?? '✗ nothing shows that it bit')}</span></td>${numbers.map((each) => `<td class="number">${each}</td>`).join('')}<td>${led.length === 0 ? '<span class="quiet">stays</span>' : led.map(({ leader }) => `server ${leader}`).join(', ')}</td></tr>`;
  });
  const heads = ['yes', 'unknown', 'longest silence'].map((each) => `<th class="number">${each}</th>`);
  return `<table><thead><tr><th class="number">at</th><th class="number">for</th><th>fault</th><th></th>${heads.join('')}<th>leader</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** How long what was acknowledged took, ms, sorted. */
export function latencies(operations: readonly Operation[]): number[] {
  return operations
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ startMs, endMs }) => endMs - startMs)
    .sort((a, b) => a - b);
}

/** `sorted` must not be empty. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The longest time between two answers that acknowledge something, edges included. */
export function longestGap(good: readonly Operation[], startMs: number, endMs: number): number {
  const ends = good.map((operation) => operation.endMs).filter((ms) => ms >= startMs && ms <= endMs);
  let before = startMs;
  let longest = 0;
  for (const ms of [...ends.sort((a, b) => a - b), endMs]) {
    longest = Math.max(longest, ms - before);
    before = ms;
  }
  return longest;
}
