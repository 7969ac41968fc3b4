/** The intention commands against the real routes: one operator's afternoon, with what is printed and the exit codes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backendRoutes } from '../../src/api/http/routes/index.ts';
import { noSnapshots, TestBackend } from '../support/backend.ts';
import { heddle, type Outcome } from '../support/cli.ts';
import { openDoor, type TestDoor } from '../support/door.ts';

let door: TestDoor;
let closeCache: () => void;
beforeAll(async () => {
  const { routes, cache } = backendRoutes({ backend: new TestBackend('n1'), snapshots: noSnapshots });
  door = await openDoor(routes);
  closeCache = () => cache.close();
});
afterAll(async () => {
  closeCache();
  await door.close();
});

const run = (...words: string[]): Promise<Outcome> => heddle(['intention', ...words], { CONSUL_HTTP_ADDR: door.base });

it('create, check, explain, match, list, replace, delete', async () => {
  expect(await run('list')).toEqual({ exit: 2, out: '', err: 'There are no intentions.\n' });
  expect(await run('create', '-deny', 'web', '*')).toEqual({ exit: 0, out: 'Created: web => * (deny)\n', err: '' });
  expect(await run('create', '-allow', 'web', 'db')).toMatchObject({ exit: 0, out: 'Created: web => db (allow)\n' });
  expect(await run('create', 'spiffe://Partner.example', 'db')).toMatchObject({ exit: 0 });
  expect(await run('check', 'web', 'db')).toEqual({ exit: 0, out: 'Allowed\n', err: '' });
  expect(await run('check', 'web', 'postgresql')).toEqual({ exit: 1, out: 'Denied\n', err: '' });
  expect(await run('check', 'web', 'a/b/c')).toMatchObject({ exit: 2 });

  const partner = 'spiffe://partner.example/ns/default/dc/dc1/svc/x';
  const explained = await run('check', '-explain', partner, 'db');
  expect(explained.exit).toBe(0);
  expect(explained.out.split('\n')).toEqual([
    'Allowed',
    '',
    'Matched L4 intention: spiffe://partner.example/* => default/db (ID: <id>, Precedence: 8, Action: ALLOW)'.replace(
      '<id>',
      /ID: ([0-9a-f-]+)/.exec(explained.out)?.[1] ?? 'none',
    ),
    '',
    'Source                      Destination  Action  Precedence  Verdict  Why',
    'web                         db           allow   9           other    About "web"',
    expect.stringMatching(/^spiffe:\/\/partner\.example\/\* {2}db {11}allow {3}8 {11}decided {2}spiffe:/),
    'web                         *            deny    6           other    About "web"',
    '',
  ]);

  expect((await run('match', 'db')).out).toBe(
    'web => db (allow)\nspiffe://partner.example/* => db (allow)\nweb => * (deny)\n',
  );
  const duplicate = await run('create', 'web', 'db');
  expect([duplicate.exit, duplicate.err]).toEqual([
    1,
    expect.stringContaining('Sources[1] defines "web" more than once'),
  ]);
  expect(await run('create', '-deny', '-replace', 'web', 'db')).toMatchObject({ exit: 0 });
  expect(await run('check', 'web', 'db')).toMatchObject({ exit: 1, out: 'Denied\n' });
  for (const [source, destination] of [
    ['web', 'db'],
    ['spiffe://partner.example', 'db'],
    ['web', '*'],
  ] as const) {
    expect(await run('delete', source, destination)).toMatchObject({ exit: 0, out: 'Intention deleted.\n' });
  }
  expect(await run('list')).toMatchObject({ exit: 2 });
});
