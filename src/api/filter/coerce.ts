/** Texts of a filter as numbers and booleans, by the rules (and with the error texts) of Go's strconv. */
import { err, ok, type Result } from '../../std/result.ts';

export function parseGoBool(text: string): Result<boolean, string> {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return ok(true);
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return ok(false);
  return err(failure('ParseBool', text, 'invalid syntax'));
}

/** Base 0: `0x`, `0o`, `0b` and a leading `0` choose the base; underscores may separate digits where a prefix stands. */
export function parseGoInt(text: string): Result<bigint, string> {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const magnitude = digits(text.slice(sign.length));
  if (magnitude === undefined) return err(failure('ParseInt', text, 'invalid syntax'));
  const value = sign === '-' ? -magnitude : magnitude;
  if (value >= 2n ** 63n || value < -(2n ** 63n)) return err(failure('ParseInt', text, 'value out of range'));
  return ok(value);
}

export function parseGoUint(text: string): Result<bigint, string> {
  const value = digits(text);
  if (value === undefined) return err(failure('ParseUint', text, 'invalid syntax'));
  if (value >= 2n ** 64n) return err(failure('ParseUint', text, 'value out of range'));
  return ok(value);
}

export function parseGoFloat(text: string): Result<number, string> {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return err(failure('ParseFloat', text, 'invalid syntax'));
  return ok(Number(text));
}

const digitsMax = 200;

function digits(text: string): bigint | undefined {
  if (text.length > digitsMax) return undefined;
  const plain = /^(?:0|[1-9](?:_?\d)*)$/.test(text);
  const prefixed = /^0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)$/.test(text);
  if (plain || prefixed) return BigInt(text.replaceAll('_', '').toLowerCase());
  if (/^0(?:_?[0-7])+$/.test(text)) return BigInt(`0o${text.replaceAll('_', '').slice(1)}`);
  return undefined;
}

function failure(name: string, text: string, what: string): string {
  return `strconv.${name}: parsing ${JSON.stringify(text)}: ${what}`;
}
