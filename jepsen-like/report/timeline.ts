/**
 * The run over time, in lanes under one clock: acknowledged operations a second, the time each operation took (logarithmic), who
 * led, and one lane for each nemesis, so that names never meet.
 */
import type { Fault, Operation } from '../history.ts';
import type { Leadership } from '../real/drive.ts';
import { colours, html, leaderColours, milliseconds, seconds, width } from './page.ts';

interface Course {
  readonly faults: readonly Fault[];
  readonly leaders: readonly Leadership[];
}

const left = 118;
const right = 16;
const ratePixels = 64;
const latencyPixels = 190;
const lanePixels = 16;
const leastMs = 0.5;
const mostMs = 10_000;
/** Dots that went well are thinned out to about so many; the others are all drawn. */
const goodDotsMax = 5_000;

export function timeline(operations: readonly Operation[], { faults, leaders }: Course, endMs: number): string {
  const x = scale(endMs);
  const names = [...new Set(faults.map(({ nemesis }) => nemesis))];
  const latencyTop = 16 + ratePixels + 12;
  const leaderTop = latencyTop + latencyPixels + 12;
  const lanesTop = leaderTop + 24;
  const bottom = lanesTop + names.length * lanePixels + 4;
  const lanes = names.map((name, i) => {
    const top = lanesTop + i * lanePixels;
    const bars = faults
      .filter(({ nemesis }) => nemesis === name)
      .map((fault) => span('bar', x, fault.startMs, fault.endMs, top + 3, lanePixels - 6, titleOf(fault)));
    return `<text class="name" x="${left - 8}" y="${top + 12}" text-anchor="end">${html(name)}</text>${bars.join('')}`;
  });
  return svg(bottom + 22, [
    ...bands(faults, x, 10, leaderTop - 16),
    ...rate(operations, x, endMs, 16),
    ...latency(operations, x, latencyTop),
    `<text class="name" x="${left - 8}" y="${leaderTop + 10}" text-anchor="end">leader</text>`,
    ...led(leaders, x, endMs, leaderTop),
    ...lanes,
    ...clock(endMs, x, bottom + 14),
  ]);
}

/** Of one workload: what took how long, over the faults. */
export function latencyPlot(operations: readonly Operation[], { faults, leaders }: Course, endMs: number): string {
  const x = scale(endMs);
  return svg(latencyPixels + 52, [
    ...bands(faults, x, 8, latencyPixels + 4),
    ...latency(operations, x, 10),
    ...led(leaders, x, endMs, latencyPixels + 16),
    ...clock(endMs, x, latencyPixels + 44),
  ]);
}

type Scale = (ms: number) => number;

const scale =
  (endMs: number): Scale =>
  (ms) =>
    left + (ms / endMs) * (width - left - right);

const svg = (height: number, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${width} ${height}" width="${width}">${parts.join('')}</svg>`;

const titleOf = ({ nemesis, what, startMs, endMs, proof }: Fault): string =>
  `${nemesis}: ${what} (${seconds(startMs)} to ${seconds(endMs)}; ${proof ?? 'nothing shows that it bit'})`;

function span(
  kind: string,
  x: Scale,
  fromMs: number,
  toMs: number,
  top: number,
  height: number,
  title: string,
): string {
  const wide = Math.max(1, x(toMs) - x(fromMs)).toFixed(1);
  return `<rect class="${kind}" x="${x(fromMs).toFixed(1)}" y="${top}" width="${wide}" height="${height}" rx="1.5"><title>${html(title)}</title></rect>`;
}

const bands = (faults: readonly Fault[], x: Scale, top: number, height: number): string[] =>
  faults.map((fault) => span('band', x, fault.startMs, fault.endMs, top, height, titleOf(fault)));

function rate(operations: readonly Operation[], x: Scale, endMs: number, top: number): string[] {
  const bucketMs = Math.max(250, endMs / 240);
  const counts = new Array<number>(Math.ceil(endMs / bucketMs)).fill(0);
  for (const { outcome, endMs: ended } of operations) {
    if (outcome === 'ok') counts[Math.min(counts.length - 1, Math.floor(ended / bucketMs))]!++;
  }
  const perSecond = counts.map((count) => (count * 1000) / bucketMs);
  const most = Math.max(1, ...perSecond);
  const base = top + ratePixels;
  const y = (value: number): string => (base - (value / most) * ratePixels).toFixed(1);
  const points = perSecond.map((value, i) => `${x(Math.min(endMs, (i + 0.5) * bucketMs)).toFixed(1)},${y(value)}`);
  return [
    `<polygon points="${x(0).toFixed(1)},${base} ${points.join(' ')} ${x(endMs).toFixed(1)},${base}" fill="${colours.ok}" opacity=".35"/>`,
    `<line class="grid" x1="${left}" x2="${width - right}" y1="${base}" y2="${base}"/>`,
    `<text class="name" x="${left - 8}" y="${top + 10}" text-anchor="end">acknowledged</text>`,
    `<text x="${left - 8}" y="${top + 24}" text-anchor="end">up to ${Math.round(most)}/s</text>`,
  ];
}

function latency(operations: readonly Operation[], x: Scale, top: number): string[] {
  const y = (ms: number): number =>
    top +
    latencyPixels -
    (Math.log(Math.min(mostMs, Math.max(leastMs, ms)) / leastMs) / Math.log(mostMs / leastMs)) * latencyPixels;
  const grid = [1, 10, 100, 1_000, 10_000].map(
    (ms) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(ms).toFixed(1)}" y2="${y(ms).toFixed(1)}"/><text x="${left - 8}" y="${(y(ms) + 4).toFixed(1)}" text-anchor="end">${milliseconds(ms)}</text>`,
  );
  const step = Math.max(1, Math.floor(operations.length / goodDotsMax));
  const drawn = operations.filter(({ outcome }, i) => outcome === 'unknown' || i % step === 0);
  // What is rare and bad lies on top.
  const order = { ok: 0, fail: 1, unknown: 2 } as const;
  const dots = [...drawn]
    .sort((a, b) => order[a.outcome] - order[b.outcome])
    .map(({ op, outcome, startMs, endMs, error }) => {
      const bad = outcome === 'unknown';
      const title = outcome === 'ok' ? '' : `<title>${html(`${op}: ${outcome} ${error ?? ''}`)}</title>`;
      return `<circle cx="${x(startMs).toFixed(1)}" cy="${y(endMs - startMs).toFixed(1)}" r="${bad ? 2.6 : 1.3}" fill="${colours[outcome]}" opacity="${bad ? 0.9 : 0.45}">${title}</circle>`;
    });
  return [...grid, ...dots];
}

function led(leaders: readonly Leadership[], x: Scale, endMs: number, top: number): string[] {
  return leaders.map(({ leader, fromMs }, i) => {
    const untilMs = leaders[i + 1]?.fromMs ?? endMs;
    const wide = Math.max(0.5, x(untilMs) - x(fromMs));
    const colour = leader === undefined ? 'class="idle"' : `fill="${leaderColours[leader % leaderColours.length]}"`;
    const title = leader === undefined ? 'no leader' : `server ${leader} leads from ${seconds(fromMs)}`;
    return `<rect ${colour} x="${x(fromMs).toFixed(1)}" y="${top}" width="${wide.toFixed(1)}" height="12" rx="1.5"><title>${title}</title></rect>`;
  });
}

/** A mark each 1, 2, 5, 10, … seconds: as many as can be read. */
function clock(endMs: number, x: Scale, y: number): string[] {
  const stepMs =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].map((s) => s * 1000).find((ms) => endMs / ms <= 16) ?? 1_200_000;
  const marks = Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, i) => i * stepMs);
  return marks.map(
    (ms) =>
      `<text x="${x(ms).toFixed(1)}" y="${y}" text-anchor="${ms === 0 ? 'start' : 'middle'}">${ms / 1000} s</text>`,
  );
}
