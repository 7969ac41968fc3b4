/**
 * Provider configuration is a loose map: keys match ignoring case, numbers may come as text and the reverse. The texts of
 * errors are those existing tools show. Every value that is wrong is reported, not only the first.
 */
import { parseDuration } from '../../std/duration.ts';

export class WeakDecoder {
  readonly errors: string[] = [];
  readonly #values = new Map<string, unknown>();

  constructor(config: Readonly<Record<string, unknown>>, keys: readonly string[]) {
    const exact = new Set(keys);
    const folded = new Map(keys.map((key) => [key.toLowerCase(), key]));
    for (const [given, value] of Object.entries(config)) {
      const key = folded.get(given.toLowerCase());
      // An exactly spelled key wins over one that differs in case; null is as good as absent; unknown keys are kept, unread.
      if (key === undefined || value === null || value === undefined) continue;
      if (exact.has(given) || !this.#values.has(key)) this.#values.set(key, value);
    }
  }

  string(key: string, fallback = ''): string {
    const value = this.#values.get(key);
    if (value === undefined) return fallback;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (typeof value === 'boolean') return value ? '1' : '0';
    return this.#unconvertible(key, 'string', value, fallback);
  }

  int(key: string, fallback: number): number {
    const value = this.#values.get(key);
    if (value === undefined) return fallback;
    if (typeof value === 'number') return Math.trunc(value);
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value !== 'string') return this.#unconvertible(key, 'int', value, fallback);
    if (/^[+-]?\d+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
    return value === '' ? 0 : this.#unparsable(key, 'int', 'ParseInt', value, fallback);
  }

  float(key: string, fallback: number): number {
    const value = this.#values.get(key);
    if (value === undefined) return fallback;
    if (typeof value === 'number') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value !== 'string') return this.#unconvertible(key, 'float32', value, fallback);
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
    return value === '' ? 0 : this.#unparsable(key, 'float', 'ParseFloat', value, fallback);
  }

  bool(key: string): boolean {
    const value = this.#values.get(key);
    if (value === undefined || value === '') return false;
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return value !== 0;
    if (typeof value !== 'string') return this.#unconvertible(key, 'bool', value, false);
    if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
    if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
    return this.#unparsable(key, 'bool', 'ParseBool', value, false);
  }

  /** Milliseconds. A number is nanoseconds, as everywhere in this API. */
  durationMs(key: string, fallbackMs: number): number {
    const value = this.#values.get(key);
    if (value === undefined) return fallbackMs;
    if (typeof value === 'number') return value / 1e6;
    if (typeof value !== 'string') return this.#unconvertible(key, 'time.Duration', value, fallbackMs);
    const parsed = parseDuration(value);
    return parsed.ok ? parsed.value / 1e6 : this.#fail(`error decoding '${key}': ${parsed.error}`, fallbackMs);
  }

  #unparsable<T>(key: string, type: string, parser: string, value: string, fallback: T): T {
    const text = `cannot parse '${key}' as ${type}: strconv.${parser}: parsing ${JSON.stringify(value)}: invalid syntax`;
    return this.#fail(text, fallback);
  }

  #unconvertible<T>(key: string, wanted: string, value: unknown, fallback: T): T {
    const object = Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
    const got = typeof value === 'object' ? object : typeof value;
    return this.#fail(`'${key}' expected type '${wanted}', got unconvertible type '${got}'`, fallback);
  }

  #fail<T>(text: string, fallback: T): T {
    this.errors.push(`* ${text}`);
    return fallback;
  }
}
