/**
 * The command line of the scripts (`npm run sim`, `jepsen`, `bench:…`): what a script takes is declared once; `--help` prints it, and
 * what is not declared is refused with the same text and exit code 2, before anything is started.
 */
import { parseArgs } from 'node:util';

interface Option {
  readonly type: 'string' | 'boolean';
  readonly default?: string | boolean;
  /** What stands for the value in the help: `SECONDS`. */
  readonly value?: string;
  readonly help: string;
}

export interface Script<Options extends Readonly<Record<string, Option>>> {
  /** The npm script: `sim`. */
  readonly script: string;
  readonly about: string;
  /** Words without a name, in the order given: positive numbers, or one of `names`. */
  readonly words?: {
    /** `[ROUNDS]` */
    readonly usage: string;
    readonly help: string;
    readonly most: number;
    readonly names?: readonly string[];
    readonly numbers?: boolean;
  };
  readonly options?: Options;
  /** Variables of the environment that it heeds. */
  readonly environment?: Readonly<Record<string, string>>;
}

type Values<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends { type: 'boolean' }
    ? boolean
    : Options[Name] extends { default: string }
      ? string
      : string | undefined;
};

export interface CommandLine<Options> {
  readonly values: Values<Options>;
  /** Words that are names. */
  readonly names: readonly string[];
  readonly numbers: readonly number[];
}

/** What was given cannot be meant; told with the usage. */
export class UsageError extends Error {}

/**
 * What `read` makes of the arguments of this process. Ends the process after `--help` (0), and (2) after what is not declared or what
 * `read` refuses with a `UsageError`.
 */
export function readCommandLine<const Options extends Readonly<Record<string, Option>>, Read>(
  script: Script<Options>,
  read: (line: CommandLine<Options>) => Read,
): Read {
  try {
    const line = parseCommandLine(script, process.argv.slice(2));
    if (line !== 'help') return read(line);
    process.stdout.write(usageOf(script));
    process.exit(0);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    process.stderr.write(`${(error as Error).message}\n\n${usageOf(script)}`);
    process.exit(2);
  }
}

/** The number that `what` (`--minutes`) was given. */
export function numberIn(what: string, text: string, { least = 0, whole = false } = {}): number {
  const number = Number(text);
  const isGood =
    text.trim() !== '' && Number.isFinite(number) && number >= least && (!whole || Number.isInteger(number));
  if (!isGood) throw new UsageError(`${what} "${text}": want a ${whole ? 'whole ' : ''}number, ${least} or more`);
  return number;
}

/** What was given, or that the help was asked for. */
export function parseCommandLine<Options extends Readonly<Record<string, Option>>>(
  { words, options }: Script<Options>,
  given: readonly string[],
): CommandLine<Options> | 'help' {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: words !== undefined,
    options: { ...options, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help === true) return 'help';
  const isName = (word: string): boolean => words?.names?.includes(word) === true;
  if (words !== undefined && positionals.length > words.most)
    throw new UsageError(`"${positionals[words.most]}" is one word too many`);
  const numbers = positionals
    .filter((word) => !isName(word))
    .map((word) => {
      if (words?.numbers === true) return numberIn(words.usage, word, { least: 1 });
      throw new UsageError(`"${word}" is none of ${words!.names!.join(', ')}`);
    });
  return { values: values as unknown as Values<Options>, names: positionals.filter(isName), numbers };
}

export function usageOf({
  script,
  about,
  words,
  options = {},
  environment = {},
}: Script<Record<string, Option>>): string {
  const rows: [string, string][] = [];
  if (words !== undefined) rows.push([words.usage, words.help]);
  for (const [name, option] of Object.entries(options)) {
    const byDefault = typeof option.default === 'string' && option.default !== '' ? ` (${option.default})` : '';
    rows.push([`--${name}${option.value === undefined ? '' : ` ${option.value}`}`, `${option.help}${byDefault}`]);
  }
  rows.push(['--help', 'this text'], ...Object.entries(environment));
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, help]) => `  ${what.padEnd(width)}  ${help}\n`);
  const some = Object.keys(options).length > 0 ? ' [options]' : '';
  return `npm run ${script} --${some}${words === undefined ? '' : ` ${words.usage}`}\n\n${about}\n\n${lines.join('')}`;
}
