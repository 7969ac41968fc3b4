/**
 * The captures of intentions, authorization and config entries, replayed in their order against the real routes, commands
 * and queries over a state in memory. Steps about kinds of config entries that cannot be written yet are left out.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backendRoutes } from '../../src/api/http/routes/index.ts';
import { configEntryKinds, configEntrySchemas } from '../../src/structs/index.ts';
import { noSnapshots, TestBackend } from '../support/backend.ts';
import { acceptedDifference, type Captured, capturesOf, comparable, LearnedIds } from '../support/captures.ts';
import { openDoor, type TestDoor } from '../support/door.ts';
import { initialiseCa } from './support.ts';

const otherKinds = configEntryKinds.filter((kind) => !Object.hasOwn(configEntrySchemas, kind));
const otherEndpoint = /^\/v1\/(discovery-chain|connect\/ca|catalog|health|internal|agent\/service)/;

function concerns({ id, request }: Captured): boolean {
  if (otherEndpoint.test(request.path)) return false;
  const asked = `${request.path} ${request.body}`;
  // Reading an empty kind works for all of them.
  if (id === 'cfg-list-empty' || id === 'cfg-delete-noname') return true;
  return !otherKinds.some((kind) => asked.includes(`/${kind}`) || asked.includes(`"${kind}"`));
}

const lists = [
  // cfg-list-sd prints entries that other sections write, and cfg-ss-delete needs a splitter to be blocked by.
  { name: 'open', files: /^open-\d+-(ixn|authz|cfg)-/, skip: /^(cfg-list-sd|cfg-ss-.*)$/ },
  { name: 'extra', files: /^extra-\d+-x-(case|ixn|cfg)-/, skip: /^x-cfg-redirect/ },
];

describe.each(lists)('list $name', ({ files, skip }) => {
  const captures = capturesOf('mesh', files).filter((capture) => concerns(capture) && !skip.test(capture.id));
  const ids = new LearnedIds();
  let door: TestDoor;
  let close: () => void;

  beforeAll(async () => {
    const backend = new TestBackend('mesh1');
    await initialiseCa(backend, '8aeb03de-a030-7e3c-9a55-1b0345f4e2be');
    const { routes, cache } = backendRoutes({ backend, snapshots: noSnapshots });
    door = await openDoor(routes);
    close = () => cache.close();
  });
  afterAll(async () => {
    close();
    await door.close();
  });

  if (captures.length === 0) it.skip('needs the captures beside the repository', () => undefined);

  it.each(captures.map((capture) => [capture.id, capture] as const))('%s', async (_id, { name, request, response }) => {
    const body = ids.fill(request.body);
    const actual = await door.call(request.method, ids.fill(request.path), {
      headers: { ...request.headers },
      ...(body === '' ? {} : { body }),
    });
    ids.learn(response.body, actual.text);
    const [expected, got] = [comparable(response), comparable({ ...actual, body: actual.text })];
    const reason = acceptedDifference(name);
    if (reason === undefined) expect(got).toBe(expected);
    else expect(got, `listed as different: ${reason}`).not.toBe(expected);
    expect(door.errors).toEqual([]);
  });
});
