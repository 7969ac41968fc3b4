/** Numbers in parameters, with the error texts of Go's strconv. What is wrong with them is a 500, as existing tools see it. */
import { HttpError } from './errors.ts';

/** Decimal, 0 to 2^64-1: a number where it is exact, else a bigint. */
export function parseUint(text: string): number | bigint {
  const what = unsignedProblem(text);
  if (what !== undefined) throw new HttpError(500, what);
  const value = BigInt(text);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

export function unsignedProblem(text: string): string | undefined {
  const parsing = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
  if (!/^\d+$/.test(text)) return `${parsing}: invalid syntax`;
  if (text.length > 400 || BigInt(text) > 0xffff_ffff_ffff_ffffn) return `${parsing}: value out of range`;
  return undefined;
}

/** Go's `Atoi`: a sign and decimal digits. */
export function signedProblem(text: string): string | undefined {
  const parsing = `strconv.Atoi: parsing ${JSON.stringify(text)}`;
  if (!/^[+-]?\d+$/.test(text)) return `${parsing}: invalid syntax`;
  const value = text.length > 400 ? undefined : BigInt(text.replace('+', ''));
  const fits = value !== undefined && value >= -(2n ** 63n) && value < 2n ** 63n;
  return fits ? undefined : `${parsing}: value out of range`;
}
