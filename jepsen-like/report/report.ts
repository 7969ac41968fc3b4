/**
 * A run as a page, in the order in which a reader asks: did it hold, what was asked and answered, when was what done to the
 * servers and what did clients feel, how late was late; then each workload. One file, no script, nothing from elsewhere.
 */
import { writeFileSync } from 'node:fs';
import type { CheckResult, Fault, History, Operation } from '../history.ts';
import type { Leadership } from '../real/drive.ts';
import type { Workload } from '../workloads/workload.ts';
import { figure } from './figure.ts';
import { faultTable, latencies, longestGap, percentile } from './overview.ts';
import { colours, html, leaderColours, milliseconds, seconds, style } from './page.ts';
import { latencyPlot, timeline } from './timeline.ts';

export interface Run {
  readonly seed: string;
  readonly servers: number;
  readonly results: readonly { readonly workload: Workload; readonly history: History; readonly result: CheckResult }[];
  readonly faults: readonly Fault[];
  readonly leaders: readonly Leadership[];
  /** What the run does not show: nemeses that could not run, or never bit. */
  readonly notes: readonly string[];
  /** What makes it a failure beside broken promises: crashes, exits, workloads that got nothing done. */
  readonly failures: readonly string[];
}

export function writeReport(file: string, run: Run): void {
  writeFileSync(file, reportOf(run));
}

export function reportOf(run: Run): string {
  const all = run.results.flatMap(({ history }) => history.operations).sort((a, b) => a.startMs - b.startMs);
  const endMs = all.reduce((latest, each) => Math.max(latest, each.endMs), 1);
  const sections = run.results.map((each) => section(each, run, endMs));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Heddle under faults: seed ${html(run.seed)}</title>
<style>${style}</style></head><body>
<h1>Heddle under faults ${verdict(run)}</h1>
<p class="quiet">${run.servers} servers, ${seconds(endMs)}, ${run.faults.length} faults. The same choices again: <code>npm run jepsen -- --seed ${html(run.seed)}</code> with the same options.</p>
${troubles(run)}
${cards(run, all, endMs)}
<h2>What was promised</h2>
${scoreboard(run)}
<h2>The run</h2>
<p class="quiet">Above, what was acknowledged; below it, how long each operation took; then who led, and what was done to whom. Point at anything to read it.</p>
<p class="key">${legend(run.servers)}</p>
${timeline(all, run, endMs)}
<h2>What each fault did</h2>
${faultTable(run.faults, all, run.leaders)}
${figures(run)}
<h2>Each workload</h2>
${sections.join('\n')}
</body></html>
`;
}

function verdict({ results, failures }: Run): string {
  if (results.some(({ result }) => !result.valid)) return '<span class="verdict bad">a promise was broken</span>';
  if (failures.length > 0) return '<span class="verdict poor">every promise held, but the run falls short</span>';
  return '<span class="verdict good">every promise held</span>';
}

function troubles({ failures, notes }: Run): string {
  const told = [...failures.map((text) => `✗ ${text}`), ...notes.map((text) => `not shown: ${text}`)];
  return told.length === 0 ? '' : `<pre>${told.map(html).join('\n')}</pre>`;
}

/** The figures that a reader looks for first. */
function cards({ faults, leaders, results }: Run, all: readonly Operation[], endMs: number): string {
  const good = all.filter(({ outcome }) => outcome === 'ok');
  const unknown = all.filter(({ outcome }) => outcome === 'unknown').length;
  const kinds = new Set(faults.map(({ nemesis }) => nemesis)).size;
  const led = leaders.filter(({ leader }) => leader !== undefined).length;
  const figures = results.flatMap(({ result }) => result.figures ?? []).slice(0, 2);
  const card = (value: string, what: string): string =>
    `<div class="card"><b>${value}</b><span>${html(what)}</span></div>`;
  return `<div class="cards">${[
    card(good.length.toLocaleString('en'), 'operations acknowledged'),
    card(unknown.toLocaleString('en'), 'with an unknown outcome'),
    card(String(faults.length), `faults of ${kinds} kinds`),
    card(String(Math.max(0, led - 1)), 'changes of leader'),
    card(milliseconds(longestGap(good, 0, endMs)), 'longest silence'),
    ...figures.map(({ name, ms }) => card(ms.length === 0 ? '–' : milliseconds(Math.max(...ms)), `worst: ${name}`)),
  ].join('')}</div>`;
}

function scoreboard({ results }: Run): string {
  const rows = results.map(({ workload, history, result }) => {
    const count = (outcome: Operation['outcome']): number =>
      history.operations.filter((operation) => operation.outcome === outcome).length;
    const times = latencies(history.operations);
    const cells = [count('ok'), count('fail'), count('unknown')].map(
      (n) => `<td class="number">${n.toLocaleString('en')}</td>`,
    );
    const waits = [0.5, 0.99, 1].map(
      (share) => `<td class="number">${times.length === 0 ? '–' : milliseconds(percentile(times, share))}</td>`,
    );
    return `<tr><td>${pill(result)}</td><td><a href="#${workload.name}"><b>${html(workload.name)}</b></a></td><td>${html(workload.promise)}</td>${cells.join('')}${waits.join('')}</tr>`;
  });
  return `<table><thead><tr><th></th><th>workload</th><th>promise</th><th class="number">yes</th><th class="number">no</th><th class="number">unknown</th><th class="number">median</th><th class="number">99%</th><th class="number">worst</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const pill = ({ valid }: CheckResult): string =>
  `<span class="verdict ${valid ? 'good' : 'bad'}">${valid ? 'holds' : 'broken'}</span>`;

function legend(servers: number): string {
  const dot = (colour: string, text: string): string =>
    `<span><i class="dot" style="background:${colour}"></i>${text}</span>`;
  return [
    dot(colours.ok, 'acknowledged'),
    dot(colours.fail, 'answered no, or refused for certain'),
    dot(colours.unknown, 'outcome unknown'),
    ...Array.from({ length: servers }, (_, i) => dot(leaderColours[i % leaderColours.length]!, `server ${i} leads`)),
  ].join('');
}

function figures({ results }: Run): string {
  const all = results.flatMap(({ workload, result }) => (result.figures ?? []).map((each) => ({ workload, ...each })));
  if (all.length === 0) return '';
  const plots = all.map(({ workload, name, ms }) => figure(`${workload.name}: ${name}`, ms));
  return `<h2>How late</h2>\n${plots.join('\n')}`;
}

function section({ workload, history, result }: Run['results'][number], run: Run, endMs: number): string {
  const violations =
    result.violations.length === 0 ? '' : `<pre>${result.violations.slice(0, 40).map(html).join('\n')}</pre>`;
  return `<details id="${workload.name}"${result.valid ? '' : ' open'}><summary><b>${html(workload.name)}</b> ${pill(result)} <span class="quiet">${html(result.summary)}</span></summary>
<p class="quiet">${html(workload.promise)}.</p>
${violations}${latencyPlot(history.operations, run, endMs)}</details>`;
}
