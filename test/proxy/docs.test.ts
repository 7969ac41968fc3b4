/** The tables of docs/proxy.md are printed from the code. After a change: `npx vitest run test/proxy/docs -u`. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inboundRefusals, upstreamFailures } from '../../src/proxy/errors.ts';
import { proxySettings, upstreamSettings } from '../../src/proxy/options.ts';

const file = new URL('../../docs/proxy.md', import.meta.url);

interface Setting {
  readonly default: number;
  readonly unit: string;
  readonly help: string;
}

/** Columns padded as the formatter of this project pads them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const settings = (declared: Readonly<Record<string, Setting>>): string =>
  table(
    ['key', 'default', 'meaning'],
    Object.entries(declared).map(([key, { default: value, unit, help }]) => [`\`${key}\``, `${value} ${unit}`, help]),
  );
const codes = (declared: Readonly<Record<string, string>>): string =>
  table(
    ['code', 'meaning'],
    Object.entries(declared).map(([code, meaning]) => [`\`${code}\``, meaning]),
  );

const tables: Readonly<Record<string, string>> = {
  'proxy settings': settings(proxySettings),
  'upstream settings': settings(upstreamSettings),
  'inbound refusals': codes(inboundRefusals),
  'upstream failures': codes(upstreamFailures),
};

it('docs/proxy.md says what the code declares', async () => {
  const before = readFileSync(file, 'utf8');
  const printed = before.replace(
    /<!-- ([a-z ]+) -->\n(?:\n\|[^\n]*(?:\n\|[^\n]*)*\n)?/g,
    (_, name: string) => `<!-- ${name} -->\n\n${tables[name] ?? `no table ${name}`}\n`,
  );
  for (const name of Object.keys(tables)) expect(before).toContain(`<!-- ${name} -->`);
  await expect(printed).toMatchFileSnapshot(file.pathname);
});
