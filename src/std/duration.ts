/**
 * Durations as Go writes them (`1h30m`, `250ms`, `1.5s`), since that is what the API, the files and the flags speak.
 * Values are nanoseconds in a JavaScript number: exact up to 104 days, and rounded beyond, as no setting needs.
 */
import { err, ok, type Result } from './result.ts';

const nanosecond = 1;
const microsecond = 1_000;
export const millisecond = 1_000_000;
export const second = 1_000_000_000;
export const minute = 60 * second;
export const hour = 60 * minute;

const units: Readonly<Record<string, number>> = {
  ns: nanosecond,
  us: microsecond,
  µs: microsecond,
  μs: microsecond,
  ms: millisecond,
  s: second,
  m: minute,
  h: hour,
};

/** Parses a Go duration. The error texts are those of Go's `time.ParseDuration`, which existing tools match on. */
export function parseDuration(text: string): Result<number, string> {
  const invalid = err(`time: invalid duration ${JSON.stringify(text)}`);
  let rest = text;
  let sign = 1;
  if (rest.startsWith('-') || rest.startsWith('+')) {
    if (rest[0] === '-') sign = -1;
    rest = rest.slice(1);
  }
  if (rest === '0') return ok(0);
  if (rest === '') return invalid;
  let total = 0;
  while (rest !== '') {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest);
    if (number === null) return invalid;
    rest = rest.slice(number[0].length);
    const unit = /^[^\d.]+/.exec(rest);
    if (unit === null) return err(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = units[unit[0]];
    if (scale === undefined) {
      return err(`time: unknown unit ${JSON.stringify(unit[0])} in duration ${JSON.stringify(text)}`);
    }
    rest = rest.slice(unit[0].length);
    total += Number(number[0]) * scale;
  }
  if (total > Number(2n ** 63n - 1n)) return invalid;
  return ok(sign * Math.round(total));
}

/** Prints nanoseconds as Go's `Duration.String` does: `1h30m0s`, `10s`, `1.5ms`, `0s`. */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const abs = Math.abs(ns);
  if (abs < microsecond) return `${sign}${abs}ns`;
  if (abs < millisecond) return `${sign}${fraction(abs, microsecond)}µs`;
  if (abs < second) return `${sign}${fraction(abs, millisecond)}ms`;
  const hours = Math.floor(abs / hour);
  const minutes = Math.floor((abs % hour) / minute);
  const seconds = `${fraction(abs % minute, second)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  if (minutes > 0) return `${sign}${minutes}m${seconds}`;
  return `${sign}${seconds}`;
}

function fraction(value: number, unit: number): string {
  const whole = Math.floor(value / unit);
  const digits = String(unit).length - 1;
  const part = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return part === '' ? String(whole) : `${whole}.${part}`;
}
