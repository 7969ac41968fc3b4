import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { note, printed, typed } from '../lib/terminal.mjs';

export const title = 'The rest of the day';

export async function run(stage) {
  await intentions(stage);
  await catalog(stage);
  await snapshots(stage);
  await reload(stage);
}

async function intentions(stage) {
  const expect = async (line, code, pattern) => {
    const result = await stage.heddle(line);
    stage.check(
      `heddle ${line}`,
      result.code === code && pattern.test(result.output),
      `exit ${result.code}: ${result.output}`,
    );
  };
  await expect('intention check web postgresql', 0, /^Allowed$/m);
  await expect('intention check web counting', 1, /^Denied$/m);
  await expect('intention match postgresql', 0, /^web => postgresql \(allow\)\nweb => \* \(deny\)$/m);
  await expect('intention match -source web', 0, /^web => db \(allow\)$/m);
  await expect('intention list', 0, /^\S* *web +deny +\* +6$/m);
  await expect("intention get web '*'", 0, /^Action: +deny$/m);
  await expect("intention delete web '*'", 0, /^Intention deleted\.$/m);
  await expect('intention check web counting', 0, /^Allowed$/m);
}

async function catalog(stage) {
  const services = await stage.heddle('catalog services');
  stage.check('catalog services', services.code === 0 && services.output.includes('postgresql-sidecar-proxy'));
  const members = await stage.heddle('members');
  stage.check('members', members.code === 0 && /\balive\b/.test(members.output), members.output);
}

async function snapshots(stage) {
  const saved = await stage.heddle('snapshot save backup.snap');
  const file = join(stage.folder, 'backup.snap');
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  stage.check('snapshot save', saved.code === 0 && (mode & 0o777) === 0o600, saved.output);
  note('what happens now is undone by the restore:');
  await stage.heddle('intention create -deny dashboard counting');
  const url = `http://localhost:${stage.ports.gateway}/service/counting/`;
  const denied = await stage.eventually(
    () => status(url),
    (code) => code !== 200,
  );
  stage.check('dashboard may not reach counting', denied !== 200, String(denied));
  await stage.curl(url);
  const restored = await stage.heddle('snapshot restore backup.snap');
  stage.check('snapshot restore', restored.code === 0 && /Restored snapshot/.test(restored.output), restored.output);
  const allowed = await stage.eventually(
    () => status(url),
    (code) => code === 200,
  );
  stage.check('the sidecars follow the restored state', allowed === 200, String(allowed));
  const list = await stage.heddle('intention list');
  stage.check('the intention made after the snapshot is gone', !/dashboard/.test(list.output), list.output);
}

async function status(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return error.cause?.code ?? error.message;
  }
}

async function reload(stage) {
  note('two more definition files, in the forms of the oldest documents:');
  for (const file of ['web.json', 'report.json']) {
    typed(`cat demo/later/${file}`);
    printed(readFileSync(join(stage.demo, 'later', file), 'utf8'));
  }
  const from = stage.agent.lines.length;
  stage.install('later');
  const reloaded = await stage.heddle('reload');
  stage.check('reload', reloaded.code === 0 && /Configuration reload triggered/.test(reloaded.output), reloaded.output);
  const old = await stage.agent.line(/old form/, { from });
  printed(old ?? stage.agent.lines.slice(from).join('\n'));
  stage.check('the old form is accepted, and said to be the old one', old !== null);

  const url = `http://localhost:${stage.ports.webUpstream}/`;
  const count = await stage.eventually(
    () => status(url),
    (code) => code === 200,
  );
  await stage.curl(url);
  stage.check('web reaches counting through the sidecar of the oldest form', count === 200, String(count));
  const port = stage.ports.reportUpstream;
  const sql = await stage.eventually(
    () => stage.sql.once(port, 'select count(*) from threads'),
    ({ code }) => code === 0,
  );
  await stage.sqlOnce(port, 'select count(*) from threads');
  stage.check('report reaches postgresql through the other old form', sql.code === 0, sql.output);
}
