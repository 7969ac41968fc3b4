/** Measured times as a strip: each a dot on a logarithmic scale, with the median and the worst in words. */
import { percentile } from './overview.ts';
import { colours, html, milliseconds, width } from './page.ts';

const height = 74;
const margin = { left: 20, right: 20 };
const ticksMs = [1, 10, 100, 1_000, 10_000];
const leastMs = 0.7;
const mostMs = 30_000;

export function figure(name: string, ms: readonly number[]): string {
  if (ms.length === 0) return `<p class="quiet">${html(name)}: nothing was measured.</p>`;
  const sorted = [...ms].sort((a, b) => a - b);
  const x = (value: number): number => {
    const share = Math.log(Math.min(mostMs, Math.max(leastMs, value)) / leastMs) / Math.log(mostMs / leastMs);
    return margin.left + share * (width - margin.left - margin.right);
  };
  const ticks = ticksMs.map(
    (tick) =>
      `<line class="grid" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="8" y2="${height - 20}"/><text x="${x(tick).toFixed(1)}" y="${height - 6}" text-anchor="middle">${milliseconds(tick)}</text>`,
  );
  // Side by side where many fall together: by turns over seven rows.
  const dots = sorted.map(
    (value, i) =>
      `<circle cx="${x(value).toFixed(1)}" cy="${12 + (i % 7) * 6}" r="3" fill="${colours.ok}" opacity=".6"><title>${milliseconds(value)}</title></circle>`,
  );
  const none = sorted.filter((value) => value === 0).length;
  const zero = none === 0 ? '' : `, ${none} of them none at all`;
  const words = `${sorted.length} times${zero}: median ${milliseconds(percentile(sorted, 0.5))}, 99% ${milliseconds(percentile(sorted, 0.99))}, worst ${milliseconds(sorted.at(-1)!)}`;
  return `<p><b>${html(name)}</b> <span class="quiet">${words}</span></p>
<svg viewBox="0 0 ${width} ${height}" width="${width}">${ticks.join('')}${dots.join('')}</svg>`;
}
