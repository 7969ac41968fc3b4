/** Layouts that commands share. */
import { CommandFailure } from './command.ts';

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

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Monday, 23-Nov-26 06:55:10 UTC` (RFC 850), in UTC so that two operators read the same text. */
export function rfc850(iso: string): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${two(time.getUTCDate())}-${months[time.getUTCMonth()]}-${two(time.getUTCFullYear() % 100)}`;
  return `${days[time.getUTCDay()]}, ${date} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} UTC`;
}

export function compileRegExp(text: string, what: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new CommandFailure(`${what}: error parsing regexp: ${regExpFault(text)}`);
  }
}

/** The usual faults in the words that tools of the field print. */
function regExpFault(text: string): string {
  const open = text.lastIndexOf('[');
  if (open >= 0 && !text.slice(open).includes(']')) return `missing closing ]: \`${text.slice(open)}\``;
  if (text.split('(').length > text.split(')').length) return `missing closing ): \`${text}\``;
  return `invalid syntax: \`${text}\``;
}
