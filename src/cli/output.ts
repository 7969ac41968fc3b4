/** Layouts that commands share. */

/** Columns two blanks apart, padded to the widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, [...cell].length);
  }
  return rows
    .map((row) =>
      row.map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - [...cell].length))).join('  '),
    )
    .join('\n');
}

/** `Label   value` lines with labels padded to a column. */
export function labelled(pairs: readonly (readonly [string, string])[], column: number): string {
  return pairs.map(([label, value]) => label.padEnd(column) + value).join('\n');
}

/** Seconds and nanoseconds of Go's `2006-01-02 15:04:05.999999999 +0000 UTC`. */
export function goTime(iso: string): string {
  return iso.replace('T', ' ').replace(/Z$/, ' +0000 UTC');
}
