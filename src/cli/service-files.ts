/**
 * Services of definition files, in the form that `/v1/agent/service/register` reads. Files are read as an agent reads
 * them: JSON or HCL, `service` or `services`, keys in snake_case.
 */
import { readFileSync } from 'node:fs';
import { parseHcl } from '../std/hcl.ts';
import { CommandFailure } from './command.ts';
import { fileErrorText } from './http-client.ts';

export interface FileService {
  readonly Name: string;
  readonly ID?: string;
  readonly [key: string]: unknown;
}

export function servicesOfFiles(paths: readonly string[]): Promise<FileService[]> {
  return Promise.resolve(paths.flatMap(servicesOfFile));
}

function servicesOfFile(path: string): FileService[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = fileErrorText(path, error);
    throw new CommandFailure(`Error: config: Open failed on ${path}. ${reason}`);
  }
  const data = path.endsWith('.json') ? parseJson(path, text) : parseHclText(path, text);
  const found = [data.service, data.services].flatMap((each) =>
    each === undefined ? [] : Array.isArray(each) ? each : [each],
  );
  if (found.length === 0)
    throw new CommandFailure(`Error: ${path} defines no service: it needs "service" or "services"`);
  return found.map((service) => camel(service as Record<string, unknown>) as unknown as FileService);
}

function parseJson(path: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new CommandFailure(`Error: failed to parse ${path}: ${(error as Error).message}`);
  }
}

function parseHclText(path: string, text: string): Record<string, unknown> {
  const parsed = parseHcl(text);
  if (!parsed.ok) throw new CommandFailure(`Error: failed to parse ${path}: ${parsed.error}`);
  return parsed.value;
}

/** Keys whose content is data and keeps its own keys. */
const opaque = new Set(['meta', 'config', 'header', 'tagged_addresses']);

/** `local_bind_port` -> `LocalBindPort`: the API matches names ignoring case, so only the underscores matter. */
function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.toLowerCase() === 'id' ? 'ID' : key.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase()),
      opaque.has(key) ? item : camel(item),
    ]),
  );
}
