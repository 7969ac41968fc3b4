/** A run as a page: verdicts, and a timeline of latency, faults and leaders a workload. One file, no script from elsewhere. */
import { writeFileSync } from 'node:fs';
import type { CheckResult, Fault, History, Operation } from '../history.ts';
import type { Leadership } from '../real/drive.ts';
import type { Workload } from '../workloads/workload.ts';
import { faultTable, latencies } from './overview.ts';

export interface Run {
  readonly title: string;
  readonly servers: number;
  readonly results: readonly { readonly workload: Workload; readonly history: History; readonly result: CheckResult }[];
  readonly faults: readonly Fault[];
  readonly leaders: readonly Leadership[];
  /** What the run does not show: nemeses that could not run, or never bit. */
  readonly notes: readonly string[];
  /** What makes it a failure beside broken promises: crashes, exits, workloads that got nothing done. */
  readonly failures: readonly string[];
}

const width = 1100;
const height = 220;
const colours = { ok: '#2f7d5b', fail: '#c77d0a', unknown: '#b3261e' } as const;
const leaderColours = ['#4c6ef5', '#e8590c', '#0ca678', '#ae3ec9', '#f59f00', '#1098ad', '#d6336c'];

export function writeReport(file: string, run: Run): void {
  const end = Math.max(1, ...run.results.flatMap(({ history }) => history.operations.map(({ endMs }) => endMs)));
  const sections = run.results.map(({ workload, history, result }) => section(workload, history, result, run, end));
  writeFileSync(file, page(run, `${overview(run, end)}\n${sections.join('\n')}`));
}

function page(run: Run, body: string): string {
  const good = run.results.every(({ result }) => result.valid) && run.failures.length === 0;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Heddle under faults: ${html(run.title)}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; color: #1d2330; background: #fbfaf7; margin: 2rem auto; max-width: ${width + 40}px; padding: 0 1rem; }
  h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem; }
  .verdict { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; color: #fff; font-weight: 600; }
  .good { background: ${colours.ok}; } .bad { background: ${colours.unknown}; }
  svg { background: #fff; border: 1px solid #e3e0d8; border-radius: 6px; max-width: 100%; height: auto; }
  .promise { color: #5b6270; } .key span { margin-right: 1.2rem; white-space: nowrap; } .dot { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .3rem; }
  table { border-collapse: collapse; font-size: 13px; margin: .8rem 0; } th { text-align: left; font-weight: 500; color: #5b6270; } td, th { padding: .15rem .9rem .15rem 0; border-bottom: 1px solid #e9e6de; } .number { text-align: right; font-variant-numeric: tabular-nums; }
  .label { fill: #8c4a45; font-weight: 600; }
  pre { background: #fff3f2; padding: .6rem; overflow: auto; } text { font: 11px system-ui, sans-serif; fill: #5b6270; }
</style></head><body>
<h1>Heddle under faults <span class="verdict ${good ? 'good' : 'bad'}">${good ? 'every promise held' : 'a promise was broken'}</span></h1>
<p>${html(run.title)} · ${run.servers} servers · ${run.faults.length} faults</p>
<p class="key">${legend(run.servers)}</p>
${body}
</body></html>
`;
}

/** All operations of all workloads in one plot, each fault by its name; then what each fault did to clients. */
function overview(run: Run, end: number): string {
  const all = run.results.flatMap(({ history }) => history.operations).sort((a, b) => a.startMs - b.startMs);
  const told = [...run.failures.map((text) => `FAIL: ${text}`), ...run.notes.map((text) => `not shown: ${text}`)];
  const texts = told.length === 0 ? '' : `<pre>${told.map(html).join('\n')}</pre>`;
  return `<h2>The run</h2>
<p class="promise">${all.length} operations of ${run.results.length} workloads, ${latencies(all)}. Dots are operations, by when they began and how long they took; the bar below tells who led.</p>
${texts}${plot(all, run, end, true)}
${faultTable(run.faults, all, run.leaders, html)}`;
}

function legend(servers: number): string {
  const dot = (colour: string, text: string): string =>
    `<span><i class="dot" style="background:${colour}"></i>${text}</span>`;
  const outcomes = Object.entries(colours).map(([name, colour]) =>
    dot(
      colour,
      name === 'fail' ? 'answered no, or refused for certain' : name === 'unknown' ? 'outcome unknown' : 'acknowledged',
    ),
  );
  const leaders = Array.from({ length: servers }, (_, i) =>
    dot(leaderColours[i % leaderColours.length]!, `server ${i} leads`),
  );
  return [...outcomes, ...leaders, dot('#f3d9d7', 'fault')].join('');
}

function section(workload: Workload, history: History, result: CheckResult, run: Run, end: number): string {
  const violations =
    result.violations.length === 0 ? '' : `<pre>${result.violations.slice(0, 40).map(html).join('\n')}</pre>`;
  return `<h2>${html(workload.name)} <span class="verdict ${result.valid ? 'good' : 'bad'}">${result.valid ? 'holds' : 'broken'}</span></h2>
<p class="promise">${html(workload.promise)}. ${html(result.summary)}; ${latencies(history.operations)}.</p>
${plot(history.operations, run, end)}${violations}`;
}

/** Latency of each operation on a logarithmic scale (1 ms to 10 s), over the faults and the leaders. */
function plot(operations: readonly Operation[], run: Run, end: number, named = false): string {
  const x = (ms: number): number => 40 + (ms / end) * (width - 60);
  const y = (ms: number): number =>
    height - 40 - (Math.log10(Math.min(10_000, Math.max(0.5, ms)) / 0.5) / Math.log10(20_000)) * (height - 60);
  const faults = run.faults.map(
    ({ nemesis, what, startMs, endMs }) =>
      `<rect x="${x(startMs).toFixed(1)}" y="10" width="${Math.max(1, x(endMs) - x(startMs)).toFixed(1)}" height="${height - 50}" fill="#f3d9d7" opacity=".6"><title>${html(`${nemesis}: ${what}`)}</title></rect>`,
  );
  // Two rows, by turns: names of faults that follow each other closely do not meet.
  const names = run.faults.map(
    ({ nemesis, startMs }, i) =>
      `<text class="label" x="${(x(startMs) + 3).toFixed(1)}" y="${22 + (i % 2) * 13}">${html(nemesis)}</text>`,
  );
  const leaders = run.leaders.map(({ leader, fromMs }, i) => {
    const until = run.leaders[i + 1]?.fromMs ?? end;
    const colour = leader === undefined ? '#d0d0d0' : leaderColours[leader % leaderColours.length]!;
    return `<rect x="${x(fromMs).toFixed(1)}" y="${height - 34}" width="${Math.max(0.5, x(until) - x(fromMs)).toFixed(1)}" height="8" fill="${colour}"><title>${leader === undefined ? 'no leader' : `server ${leader} leads`}</title></rect>`;
  });
  const grid = [1, 10, 100, 1_000, 10_000].map(
    (ms) =>
      `<line x1="40" x2="${width - 20}" y1="${y(ms)}" y2="${y(ms)}" stroke="#eee"/><text x="2" y="${y(ms) + 4}">${ms < 1000 ? `${ms} ms` : `${ms / 1000} s`}</text>`,
  );
  const seconds = Array.from(
    { length: Math.floor(end / 10_000) + 1 },
    (_, i) => `<text x="${x(i * 10_000)}" y="${height - 8}">${i * 10} s</text>`,
  );
  // Everything that did not go well is drawn; of the rest, at most a few thousand dots.
  const step = Math.max(1, Math.floor(operations.length / 4_000));
  const dots = operations
    .filter(({ outcome }, i) => outcome !== 'ok' || i % step === 0)
    .map(({ op, outcome, startMs, endMs, error }) => {
      const title = outcome === 'ok' ? '' : `<title>${html(`${op}: ${outcome} ${error ?? ''}`)}</title>`;
      return `<circle cx="${x(startMs).toFixed(1)}" cy="${y(endMs - startMs).toFixed(1)}" r="${outcome === 'ok' ? 1.4 : 2.6}" fill="${colours[outcome]}" opacity="${outcome === 'ok' ? 0.5 : 0.9}">${title}</circle>`;
    });
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}">${[...faults, ...grid, ...leaders, ...seconds, ...dots, ...(named ? names : [])].join('')}</svg>`;
}

function html(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);
}
