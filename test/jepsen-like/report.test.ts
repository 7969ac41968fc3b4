/** What a person reads first about a run must be what the checkers found. */
import { expect, it } from 'vitest';
import { type Fault, History, type Operation } from '../../jepsen-like/history.ts';
import { longestGap } from '../../jepsen-like/report/overview.ts';
import { type Run, reportOf } from '../../jepsen-like/report/report.ts';
import { workloads } from '../../jepsen-like/workloads/index.ts';

const operation = (startMs: number, endMs: number, outcome: Operation['outcome'] = 'ok'): Operation => ({
  ...{ client: 0, server: 0, op: 'write', key: 'a', input: 1, output: true, outcome, startMs, endMs },
});
const fault: Fault = {
  onHost: false,
  nemesis: 'kill',
  what: 'kill -9 of <server 1>',
  startMs: 100,
  endMs: 900,
  proof: 'gone after 3 ms',
};

function run(valid: boolean, more: Partial<Run> = {}): Run {
  const workload = Object.values(workloads)[0]!;
  const history = new History();
  history.operations.push(operation(0, 50), operation(120, 800), operation(200, 700, 'unknown'));
  const result = { valid, summary: 'looked at', violations: valid ? [] : ['a & b contradict'] };
  return {
    ...{ seed: '7', servers: 3, faults: [fault], leaders: [{ leader: 1, fromMs: 0 }], notes: [], failures: [] },
    ...{ results: [{ workload, history, result }], ...more },
  };
}

it('says at its top whether every promise held, a promise was broken, or the run shows too little', () => {
  expect(reportOf(run(true))).toContain('every promise held</span>');
  expect(reportOf(run(true, { failures: ['no write was acknowledged'] }))).toContain('the run falls short');
  const broken = reportOf(run(false));
  expect(broken).toContain('a promise was broken</span>');
  expect(broken).toContain('a &amp; b contradict');
});

it('tells each fault with its proof, and what was not shown; what servers say cannot become markup', () => {
  const page = reportOf(run(true, { notes: ['clock: no libfaketime'] }));
  expect(page).toContain('kill -9 of &lt;server 1&gt;');
  expect(page).toContain('gone after 3 ms');
  expect(page).toContain('not shown: clock: no libfaketime');
  expect(page).toContain('npm run jepsen -- --seed 7');
});

it('measures the longest silence with the edges of what is looked at', () => {
  expect(longestGap([operation(0, 100), operation(0, 300)], 0, 1_000)).toBe(700);
  expect(longestGap([], 200, 500)).toBe(300);
});
