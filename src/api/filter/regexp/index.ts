/** Regular expressions in RE2's syntax, matched in linear time. */
import { err, ok, type Result } from '../../../std/result.ts';
import { Program } from './program.ts';
import { parseRegexp, RegexpError } from './syntax.ts';

export interface Regexp {
  /** True when the pattern matches somewhere in the text. */
  test(text: string): boolean;
}

/** The error is Go's, complete: ``error parsing regexp: missing closing ): `(` ``. */
export function compileRegexp(pattern: string): Result<Regexp, string> {
  try {
    const program = new Program(parseRegexp(pattern), pattern);
    return ok({ test: (text) => program.test(text) });
  } catch (error) {
    if (error instanceof RegexpError) return err(error.message);
    throw error;
  }
}
