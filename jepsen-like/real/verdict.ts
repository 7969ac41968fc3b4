/** What a run shows: every promise, what agents did that no fault excuses, and whether there were faults and work worth the name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault, History } from '../history.ts';
import type { Nemesis, NemesisContext } from '../nemeses/nemesis.ts';
import { writeReport } from '../report/report.ts';
import type { Workload } from '../workloads/workload.ts';
import type { Findings } from './drive.ts';
import { say } from './say.ts';
import type { Settings } from './settings.ts';

/** Says it, writes the report, and returns the exit code. */
export function conclude(wanted: Settings, { cluster, hosts }: NemesisContext, findings: Findings): number {
  const { results, faults, leaders, skipped } = findings;
  say('');
  for (const { workload, history, result } of results) {
    const unknown = history.operations.filter(({ outcome }) => outcome === 'unknown').length;
    say(
      `${result.valid ? 'ok  ' : 'FAIL'}  ${workload.name.padEnd(12)} ${String(history.operations.length).padStart(6)} operations, ${unknown} unknown: ${result.summary}`,
    );
    for (const violation of result.violations.slice(0, 10)) say(`        ${violation}`);
    writeFileSync(join(wanted.out, `${workload.name}.json`), JSON.stringify(history.operations));
  }
  cluster.complainOfCrashes();
  hosts?.complainOfCrashes();
  const complaints = [...cluster.complaints, ...(hosts?.complaints ?? [])];
  const idle = results.flatMap(({ workload, history }) => neverAcknowledged(workload, history));
  const harmless = harmlessNemeses(wanted.nemeses, faults, skipped);
  const shortcomings = [...skipped.map((text) => `nemesis ${text}`), ...harmless];
  for (const text of complaints) say(`FAIL  ${text}: see ${cluster.folder}`);
  for (const text of idle) say(`FAIL  ${text}`);
  for (const text of shortcomings) say(`${wanted.allRequired ? 'FAIL' : 'SKIPPED'}  ${text}`);
  const failures = [...complaints, ...idle, ...(wanted.allRequired ? shortcomings : [])];
  const file = join(wanted.out, 'report.html');
  const notes = wanted.allRequired ? [] : shortcomings;
  writeReport(file, {
    seed: wanted.seed,
    servers: wanted.servers,
    results,
    faults,
    leaders,
    notes,
    failures,
  });
  say(`\n${faults.length} faults. Report: ${file}\nreplay the choices with --seed ${wanted.seed}`);
  return failures.length === 0 && results.every(({ result }) => result.valid) ? 0 : 1;
}

/** A workload of which some kind of operation never ended well shows nothing about it. */
function neverAcknowledged({ name, acknowledges }: Workload, history: History): string[] {
  return acknowledges
    .filter((op) => history.of(op, 'ok').length === 0)
    .map((op) => `${name}: no "${op}" was acknowledged, the run shows nothing about it`);
}

/** Nemeses that were never put in, or of which nothing ever showed that they bit. */
function harmlessNemeses(
  wanted: readonly Pick<Nemesis, 'name'>[],
  faults: readonly Pick<Fault, 'nemesis' | 'proof'>[],
  skipped: readonly string[],
): string[] {
  return wanted.flatMap(({ name }) => {
    if (skipped.some((text) => text.startsWith(`${name}: `))) return [];
    const struck = faults.filter(({ nemesis }) => nemesis === name);
    if (struck.length === 0) return [`nemesis ${name}: the time was too short for it (--time)`];
    return struck.some(({ proof }) => proof !== undefined)
      ? []
      : [`nemesis ${name}: it was put in ${struck.length} times and never seen to bite`];
  });
}
