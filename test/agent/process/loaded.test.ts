/**
 * What a process loads, read from the account that the bundler gives of its files: a client agent at rest holds nothing of what
 * only servers, sidecars or single requests need. Code that is loaded stays in memory, text and all.
 *
 * When this fails, a file that a client loads imports something that it should not: import the file that is needed instead of
 * its room's `index.ts` (`fsm/errors.ts` for a Refusal), or load it where it is first used.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

const folder = join(packageRoot, '.vitest', `loaded-${process.pid}`);
const agent = ['src/cli/entry.ts', 'src/cli/commands/agent.ts', 'src/agent/index.ts', 'src/agent/start-cluster.ts'];
const client = [...agent, 'src/agent/client-cluster.ts'];
const server = [...agent, 'src/agent/server-cluster.ts'];
let outputs: Metafile['outputs'];

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  const metafile = join(folder, 'meta.json');
  execFileSync(process.execPath, ['scripts/bundle.mjs', join(folder, 'out'), metafile], { cwd: packageRoot });
  outputs = (JSON.parse(readFileSync(metafile, 'utf8')) as Metafile).outputs;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The source files, relative to the package, that are in memory once these entries have been imported. */
function loaded(entries: readonly string[]): string[] {
  const ofEntry = new Map(Object.entries(outputs).map(([path, { entryPoint }]) => [entryPoint, path]));
  const waiting = entries.map((entry) => {
    const output = ofEntry.get(entry);
    if (output === undefined) throw new Error(`${entry} is no file of its own: it is not loaded late any more`);
    return output;
  });
  const seen = new Set(waiting);
  for (const path of waiting) {
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind !== 'import-statement' || outputs[next] === undefined || seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return [...seen].flatMap((path) =>
    Object.entries(outputs[path]!.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
  );
}

const below = (files: readonly string[], pattern: RegExp): string[] => files.filter((file) => pattern.test(file));

it.each([
  { what: 'Raft', pattern: /^src\/raft\// },
  { what: "a server's parts", pattern: /^src\/agent\/(server|autopilot|rpc)\// },
  { what: 'the state', pattern: /^src\/fsm\/(?!errors\.ts$|commands\/txn-verbs\.ts$)/ },
  { what: 'the authority', pattern: /^src\/(ca\/lifecycle|agent\/connect)\// },
  { what: 'certificates', pattern: /^(src\/ca\/x509|node_modules\/node-forge)\// },
  { what: 'the sidecar', pattern: /^src\/proxy\/(?!host-process\.ts$|backoff\.ts$|clock\.ts$)/ },
  { what: 'Prometheus', pattern: /^node_modules\/(prom-client|tdigest)\// },
  { what: 'other commands', pattern: /^src\/cli\/commands\/(?!agent\.ts$)/ },
])('a client agent loads nothing of: $what', ({ pattern }) => {
  expect(below(loaded(client), pattern)).toEqual([]);
});

it('sees what is there: a server loads Raft, the state and what signs', () => {
  const files = loaded(server);
  for (const pattern of [/^src\/raft\//, /^src\/fsm\/commands\//, /^src\/ca\/lifecycle\//])
    expect(below(files, pattern)).not.toEqual([]);
});

it.each(['src/proxy/host.ts', 'src/cli/commands/connect-proxy.ts'])(
  'a sidecar decides by itself, without schemas, certificates or an agent: %s',
  (entry) => {
    const files = loaded([entry]);
    expect(below(files, /^src\/mesh\/decision\//)).not.toEqual([]);
    expect(
      below(
        files,
        /^(src\/structs\/(?!intention-source\.ts$)|src\/ca\/(x509|lifecycle)\/|src\/agent\/|node_modules\/)/,
      ),
    ).toEqual([]);
  },
);

it('a single command loads nothing of an agent', () => {
  const files = loaded(['src/cli/entry.ts', 'src/cli/commands/version.ts']);
  expect(below(files, /^(src\/agent\/(?!process\/)|node_modules\/)/)).toEqual([]);
});
