import { note, printed } from '../lib/terminal.mjs';

export const title = 'Who may talk to whom';

export async function run(stage) {
  const port = stage.ports.sqlUpstream;
  const from = stage.agent.lines.length;
  const denied = await stage.heddle("intention create -deny web '*'");
  stage.check('the intention is created', denied.output === 'Created: web => * (deny)', denied.output);

  note("the sidecar of postgresql (its log is part of the agent's):");
  const cut = await stage.agent.line(/open connection cut/, { from });
  printed(cut ?? stage.agent.text);
  stage.check(
    'the open psql connection is cut, with the reason',
    /Action: DENY/.test(cut ?? ''),
    cut ?? 'nothing logged',
  );
  note('and psql, which was idle, learns of it with its next statement:');
  console.log('postgres=# select 1;');
  const after = await stage.session.ask('select 1;');
  if (after === null) await stage.session.exited;
  printed(stage.session.text.split('\n').slice(-3).join('\n'));
  stage.check(
    'the session is over',
    after === null && stage.session.exitCode !== 0,
    `exit code ${stage.session.exitCode}`,
  );

  const refused = await stage.sqlOnce(port, 'select 1');
  const reason = await stage.agent.line(/connection refused: .*refusal=denied/, { from });
  printed(reason ?? stage.agent.text);
  stage.check('a new connection is refused', refused.code !== 0);
  stage.check(
    'and the log says why',
    /Matched L4 intention: default\/web => default\/\*/.test(reason ?? ''),
    reason ?? '',
  );
  const others = await stage.curl(`http://localhost:${stage.ports.gateway}/service/counting/`);
  stage.check('others go on as before', others.status === 200);

  note('allow brings back exactly what it names; an exact destination counts more than "*":');
  await stage.heddle('intention create -allow web db');
  stage.check(
    'web may not reach postgresql because it may reach db',
    (await stage.sqlOnce(port, 'select 1')).code !== 0,
  );
  await stage.heddle('intention create -allow web postgresql');
  const again = await stage.eventually(
    () => stage.sql.once(port, 'select count(*) from threads'),
    ({ code }) => code === 0,
  );
  const shown = await stage.sqlOnce(port, 'select count(*) from threads');
  stage.check('web reaches postgresql again', again.code === 0 && shown.output.trim() === '1', shown.output);
}
