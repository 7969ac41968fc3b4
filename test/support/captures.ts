/**
 * Captured exchanges and what makes two of them equal. A list is replayed in order against one server; identifiers that the
 * server made (UUIDs) are learned from its answers and put into later requests.
 *
 * `test/golden/differences.json` holds every accepted difference: the capture's path without `.json` (a `*` stands for
 * anything) and the reason. A replay fails on a difference that is not listed, and on a listed one that is none any more.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { reference } from './shared.ts';

export interface Captured {
  /** `mesh/open-002-ixn-create`. */
  readonly name: string;
  readonly id: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly response: Response;
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** All captures of `folder` whose file name matches, in order; none where the captures are not there. */
export function capturesOf(folder: string, files: RegExp): Captured[] {
  const path = reference(`golden/${folder}`);
  if (path === null) return [];
  return readdirSync(path)
    .filter((file) => files.test(file))
    .sort()
    .map((file) => {
      const capture = JSON.parse(readFileSync(join(path, file), 'utf8')) as Omit<Captured, 'name'>;
      return { ...capture, name: `${folder}/${basename(file, '.json')}` };
    });
}

const differences = JSON.parse(
  readFileSync(new URL('../golden/differences.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

/** Why a capture need not be met, or undefined. */
export function acceptedDifference(name: string): string | undefined {
  if (Object.hasOwn(differences, name)) return differences[name];
  const pattern = Object.keys(differences).find((key) => key.includes('*') && wildcardPattern(key).test(name));
  return pattern === undefined ? undefined : differences[pattern];
}

/** Every capture, or pattern of captures, that is listed as different. */
export function differenceKeys(): string[] {
  return Object.keys(differences);
}

export function wildcardPattern(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
}

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** What this server's answers showed to stand for what the capturing one had made: UUIDs and modify indexes. */
export class LearnedIds {
  readonly #ids = new Map<string, string>();
  readonly #indexes = new Map<string, string>();

  learn(captured: string, actual: string): void {
    pair(this.#ids, captured.match(uuid) ?? [], actual.match(uuid) ?? []);
    const indexes = (text: string): string[] => [...text.matchAll(/"ModifyIndex":(\d+)/g)].map((match) => match[1]!);
    pair(this.#indexes, indexes(captured), indexes(actual));
  }

  fill(text: string): string {
    return text
      .replace(uuid, (id) => this.#ids.get(id) ?? id)
      .replace(/\bcas=(\d+)/g, (all, index: string) =>
        this.#indexes.has(index) ? `cas=${this.#indexes.get(index)}` : all,
      );
  }
}

function pair(known: Map<string, string>, captured: readonly string[], actual: readonly string[]): void {
  if (captured.length !== actual.length) return;
  for (const [i, value] of captured.entries()) if (!known.has(value)) known.set(value, actual[i]!);
}

const varyingHeaders = new Set(
  'date content-length age x-cache x-consul-index x-consul-lastcontact x-consul-contenthash connection keep-alive transfer-encoding'.split(
    ' ',
  ),
);

/** What of an answer must be equal, as one comparable text; what differs from run to run is masked. */
export function comparable({ status, headers, body }: Response): string {
  const kept = Object.entries(headers)
    .filter(([name]) => !varyingHeaders.has(name))
    .sort()
    .map(([name, value]) => `${name}: ${value}`);
  return [String(status), ...kept, '', sortRoots(sortErrors(mask(body)))].join('\n');
}

function mask(body: string): string {
  return body
    .replace(uuid, '<UUID>')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<TIME>')
    .replace(/-----BEGIN ([A-Z ]+)-----.*?-----END \1-----/gs, '<$1>')
    .replace(/\b[0-9a-f]{2}(:[0-9a-f]{2}){3,}\b/g, '<ID>')
    .replace(/"SerialNumber":"[0-9a-f:]+"/g, '"SerialNumber":"<S>"')
    .replace(/"(SerialNumber|CreateIndex|ModifyIndex)":\d+/g, '"$1":0')
    .replace(/"Hash":"[^"]*"/g, '"Hash":"<H>"');
}

/** Roots are listed by their fingerprints, which are chance; their keys stay in order. */
function sortRoots(text: string): string {
  if (!text.startsWith('{"ActiveRootID"')) return text;
  const answer = JSON.parse(text) as { Roots: unknown[] };
  const roots = answer.Roots.map((root) => JSON.stringify(root)).sort();
  return JSON.stringify({ ...answer, Roots: roots.map((root) => JSON.parse(root)) });
}

/** The reference prints some lists of errors in no fixed order. */
function sortErrors(text: string): string {
  return text.replace(/(^\t\* .*\n?)+/gm, (lines) => `${lines.split('\n').filter(Boolean).sort().join('\n')}\n`);
}
