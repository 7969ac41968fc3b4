/** What the config entry commands share. */
import { parseHcl } from '../../std/hcl.ts';
import { CommandFailure } from '../command.ts';
import { ApiError } from '../http-client.ts';

export interface ConfigEntry {
  readonly Kind: string;
  readonly Name: string;
  readonly [key: string]: unknown;
}

export function requireKindAndName(kind: string, name: string): void {
  if (kind === '') throw new CommandFailure('Must specify the -kind parameter');
  if (name === '') throw new CommandFailure('Must specify the -name parameter');
}

/** JSON when the first character says so, else HCL. Keys in CamelCase, snake_case or lower case: the server folds them. */
export function parseConfigEntry(text: string): ConfigEntry {
  const data = text.trimStart().startsWith('{') ? fromJson(text) : fromHcl(text);
  const pick = (wanted: string): string =>
    String(Object.entries(data).find(([key]) => key.toLowerCase() === wanted)?.[1] ?? '');
  if (pick('kind') === '')
    throw new CommandFailure(
      'Failed to decode config entry input: Payload does not contain a kind/Kind key at the top level',
    );
  return { ...data, Kind: pick('kind'), Name: pick('name') };
}

function fromJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new CommandFailure(
      `Failed to decode config entry input: Failed to decode config entry input: ${(error as Error).message}`,
    );
  }
}

function fromHcl(text: string): Record<string, unknown> {
  const parsed = parseHcl(text);
  if (!parsed.ok)
    throw new CommandFailure(
      `Failed to decode config entry input: Failed to decode config entry input: ${parsed.error}`,
    );
  return parsed.value;
}

/** What an entry says nothing by: no configuration, no metadata. */
export function withoutEmpty(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).filter(([key, value]) => value !== null || !['Config', 'Meta'].includes(key)),
  );
}

/** Why the servers could not read an entry, in their words, or null where it failed otherwise. */
export function decodingFailure(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  return /^Bad request: Request decoding failed: (.*)$/s.exec(error.body)?.[1] ?? null;
}

/** An unknown kind is the caller's mistake, whoever notices it: said without the status. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof ApiError && error.body.startsWith('invalid config entry kind:') ? error.body.trim() : message;
}
