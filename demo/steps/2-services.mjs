import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note, printed, typed } from '../lib/terminal.mjs';

export const title = 'Services from definition files';

export async function run(stage) {
  note('only the configuration says that there is a mesh: the sidecar, its upstreams and their local ports.');
  typed('cat demo/config/dashboard.hcl');
  printed(readFileSync(join(stage.configFolder, 'dashboard.hcl'), 'utf8'), 40);

  const services = await stage.heddle('catalog services');
  for (const name of ['counting', 'dashboard', 'postgresql']) {
    const both = [name, `${name}-sidecar-proxy`].every((each) => services.output.split('\n').includes(each));
    stage.check(`${name} and its sidecar are in the catalog`, both);
  }
  const health = await stage.eventually(
    async () => (await fetch(`${stage.api}/v1/health/connect/postgresql?passing`)).json(),
    (list) => list.length === 1,
    30_000,
  );
  stage.check('the sidecar of postgresql is healthy', health.length === 1);
}
