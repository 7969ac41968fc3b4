/** What a reload cannot apply: settings that changed and count only from the next start. */
import { keys, type Settings } from './keys/index.ts';
import { leaves } from './schema.ts';

/** Dotted keys, in the order of their declaration. Definitions are not settings: they are always read anew. */
export function needRestart(before: Settings, after: Settings): string[] {
  return leaves(keys)
    .filter(({ key }) => key.doc.reload !== true && !['service', 'services', 'check', 'checks'].includes(key.kind))
    .filter(({ path }) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)))
    .map(({ path }) => path);
}

function valueAt(settings: Settings, path: string): unknown {
  let at: unknown = settings;
  let rest = path;
  while (rest !== '') {
    // One key has a dot in its own name: the longest name that fits counts.
    const object = at as Record<string, unknown>;
    const name = rest in object ? rest : rest.slice(0, rest.indexOf('.'));
    at = object[name];
    rest = rest.slice(name.length + 1);
  }
  return at;
}
