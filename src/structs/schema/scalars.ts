/** Schemas of single values. */
import { decodeBase64, encodeBase64 } from '../../std/base64.ts';
import { formatDuration, parseDuration } from '../../std/duration.ts';
import { numberText, quote } from './json-text.ts';
import { DecodeFailure, isNumber, mismatch, type Schema } from './schema.ts';

export function string(): Schema<string> {
  return {
    kind: 'string',
    goType: 'string',
    zero: () => '',
    read(input, path) {
      if (input === null) return '';
      if (typeof input !== 'string') throw mismatch(input, path, 'string');
      return input;
    },
    text: quote,
    isEmpty: (value) => value === '',
  };
}

export function bool(): Schema<boolean> {
  return {
    kind: 'bool',
    goType: 'bool',
    zero: () => false,
    read(input, path) {
      if (input === null) return false;
      if (typeof input !== 'boolean') throw mismatch(input, path, 'bool');
      return input;
    },
    text: (value) => (value ? 'true' : 'false'),
    isEmpty: (value) => !value,
  };
}

/** A signed integer; fractions and exponents are refused. Values beyond 2^53 are refused too: no such field needs them. */
export function int(): Schema<number> {
  return {
    kind: 'int',
    goType: 'int',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      if (typeof input !== 'number') throw mismatch(input, path, 'int', isNumber(input));
      if (!Number.isSafeInteger(input)) throw mismatch(input, path, 'int', true);
      return input;
    },
    text: (value) => String(value),
    isEmpty: (value) => value === 0,
  };
}

/** 0 to 2^64-1. A number where it is exact, a bigint beyond 2^53. */
export function uint64(): Schema<number | bigint> {
  return {
    kind: 'uint64',
    goType: 'uint64',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      if (typeof input === 'bigint') {
        if (input < 0n || input >= 2n ** 64n) throw mismatch(input, path, 'uint64', true);
        return input <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(input) : input;
      }
      if (typeof input !== 'number') throw mismatch(input, path, 'uint64', isNumber(input));
      if (!Number.isSafeInteger(input) || input < 0) throw mismatch(input, path, 'uint64', true);
      return input;
    },
    text: (value) => value.toString(),
    isEmpty: (value) => value === 0,
  };
}

/** A Raft or modify index: it never outgrows 2^53, so it is a plain number. */
export function index(): Schema<number> {
  return { ...int(), kind: 'uint64', goType: 'uint64' };
}

export function float(): Schema<number> {
  return {
    kind: 'float',
    goType: 'float64',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      const value = isNumber(input) ? Number(input) : input;
      if (typeof value !== 'number') throw mismatch(input, path, 'float64');
      if (!Number.isFinite(value)) throw mismatch(input, path, 'float64', true);
      return value;
    },
    text: numberText,
    isEmpty: (value) => value === 0,
  };
}

/** Nanoseconds. Reads `"10s"` or a number of nanoseconds, prints `"10s"`. `number` prints the figure instead. */
export function duration(print: 'text' | 'number' = 'text'): Schema<number> {
  return {
    kind: 'duration',
    goType: 'time.Duration',
    zero: () => 0,
    read(input, path) {
      if (input === null || input === '') return 0;
      if (typeof input === 'number') return input;
      if (isNumber(input)) return Number(input);
      // Other JSON types are ignored by the reference; we say what is wrong.
      if (typeof input !== 'string') throw mismatch(input, path, 'time.Duration');
      const parsed = parseDuration(input);
      if (!parsed.ok) throw new DecodeFailure(parsed.error, path);
      return parsed.value;
    },
    text: (value) => (print === 'number' ? String(value) : `"${formatDuration(value)}"`),
    isEmpty: (value) => value === 0,
  };
}

/** Bytes as base64; `null` when absent. */
export function bytes(): Schema<Uint8Array | null> {
  return {
    kind: 'bytes',
    goType: '[]uint8',
    zero: () => null,
    read(input, path) {
      if (input === null) return null;
      if (typeof input !== 'string') throw mismatch(input, path, '[]uint8');
      const decoded = decodeBase64(input);
      if (!decoded.ok) throw new DecodeFailure(decoded.error, path);
      return decoded.value;
    },
    text: (value) => (value === null || value.length === 0 ? 'null' : `"${encodeBase64(value)}"`),
    isEmpty: (value) => value === null || value.length === 0,
  };
}
