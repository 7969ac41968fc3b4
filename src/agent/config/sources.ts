/**
 * Where an agent's configuration comes from, in the order in which later words win: defaults, `-dev`, list flags, files,
 * scalar flags, `-hcl` fragments. Files are read here and nowhere else.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../api/http/index.ts';
import { parseHcl } from '../../std/hcl.ts';
import { err, ok, type Result } from '../../std/result.ts';
import { definitionReader } from '../definitions/file.ts';
import { translateFile } from '../definitions/old-form.ts';
import { decodeSource, type Format } from './decode.ts';
import { keys, type RawConfig } from './keys/index.ts';
import { ConfigError } from './problems.ts';

export interface Source {
  readonly raw: RawConfig;
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

export interface FilesRead {
  readonly sources: readonly Source[];
  /** Files that were skipped, and why. */
  readonly warnings: readonly string[];
}

/** Reads files and directories in the order given. `format` counts for every file, whatever its name. */
export function readFiles(paths: readonly string[], format?: Format): FilesRead {
  const warnings: string[] = [];
  const sources: Source[] = [];
  for (const path of paths.flatMap(filesAt)) {
    const kind = format ?? formatOf(path);
    if (kind === undefined) {
      warnings.push(`skipping file ${path}, extension must be .hcl or .json, or config format must be set`);
      continue;
    }
    const text = readFileSync(path, 'utf8');
    if (text.trim() !== '') sources.push(parseSource(path, text, kind));
  }
  return { sources, warnings };
}

/** The file itself, or the files of a directory: flat, in byte order, directories left out. */
function filesAt(path: string): string[] {
  let stat: ReturnType<typeof statSync>;
  try {
    stat = statSync(path);
  } catch (error) {
    throw new ConfigError(`config: Open failed on ${path}. ${openProblem(path, error)}`);
  }
  if (!stat.isDirectory()) return [path];
  return readdirSync(path)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((name) => join(path, name))
    .filter((file) => !statSync(file).isDirectory());
}

function openProblem(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : String(code);
  return `open ${path}: ${reason}`;
}

function formatOf(path: string): Format | undefined {
  if (path.endsWith('.json')) return 'json';
  return path.endsWith('.hcl') ? 'hcl' : undefined;
}

/** One text. Throws ConfigError with `failed to parse <name>: …`. */
export function parseSource(name: string, text: string, format: Format): Source {
  const failed = (reason: string): ConfigError => new ConfigError(`failed to parse ${name}: ${reason}`);
  const parsed = format === 'json' ? readJson(text) : parseHcl(text);
  if (!parsed.ok) throw failed(parsed.error);
  const translated = translateFile(parsed.value ?? {});
  const decoded = decodeSource(keys, translated.input, format, definitionReader);
  if (!decoded.ok) throw failed(decoded.error);
  return {
    raw: decoded.value.raw as RawConfig,
    problems: [...translated.problems, ...decoded.value.problems],
    notices: [...translated.notices, ...decoded.value.notices],
  };
}

/** One JSON value and nothing behind it. The words for what is wrong are those of Go's decoder. */
function readJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text));
  } catch {
    const explained = parseJson(text);
    return explained.ok ? err('invalid character after top-level value') : explained;
  }
}

/** A configuration given by a program: as a JSON file would hold it. */
export function objectSource(input: object): Source {
  return parseSource('the given configuration', JSON.stringify(input), 'json');
}
