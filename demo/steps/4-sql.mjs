import { run as command } from '../lib/processes.mjs';
import { note, printed, typed } from '../lib/terminal.mjs';

export const title = 'SQL through the mesh, and what the wire shows';

export async function run(stage) {
  const { ports } = stage;
  note('in one terminal a sidecar from flags, in the identity of the service web:');
  typed(`heddle connect proxy -service web -upstream postgresql:${ports.sqlUpstream} -log-level debug`);
  const words = [
    'connect',
    'proxy',
    '-service',
    'web',
    '-upstream',
    `postgresql:${ports.sqlUpstream}`,
    '-log-level',
    'debug',
  ];
  stage.connectProxy = stage.start('connect proxy', words);
  await stage.connectProxy.line(/instances: upstream=postgresql healthy=1/, { ms: 20_000 });
  await stage.connectProxy.line(/parsed TLS identity/, { ms: 20_000 });
  printed(stage.connectProxy.text);

  note('in another one:');
  typed(stage.sql.shown(ports.sqlUpstream));
  stage.session = stage.sql.open(ports.sqlUpstream);
  const secret = `woven-${process.pid}`;
  const statements = [
    'create table if not exists threads (name text);',
    `insert into threads values ('${secret}');`,
    'select count(*), max(name) from threads;',
  ];
  let answer = null;
  for (const statement of statements) {
    console.log(`postgres=# ${statement}`);
    answer = await stage.session.ask(statement);
    printed(answer?.join('\n') ?? stage.session.text);
  }
  stage.check('SQL works through the mesh', answer?.[0] === `1|${secret}`, stage.session.text);

  note(
    `a wiretap stands at port ${ports.postgresSidecar}, between the two sidecars, where only encrypted bytes go by:`,
  );
  const { version, suite, serverName, bytes } = stage.tap.conversations.at(-1) ?? {};
  printed(`${version}, ${suite}; ${bytes} bytes; server name ${serverName}`);
  stage.check('the wire carries TLS 1.3', version === 'TLSv1.3', version);
  stage.check('nothing readable went by', bytes > 0 && !stage.tap.saw(secret) && !stage.tap.saw('threads'));

  note('who is at the two ends:');
  typed(`node demo/services/show-identity.mjs web 127.0.0.1:${ports.postgresSidecar}`);
  const script = `${stage.demo}/services/show-identity.mjs`;
  const shown = await command(process.execPath, [script, 'web', `127.0.0.1:${ports.postgresSidecar}`], {
    env: stage.env,
  });
  printed(shown.output);
  const line = await stage.connectProxy.line(/connected: upstream=postgresql/);
  printed(line ?? stage.connectProxy.text);
  const uri = (service) => new RegExp(`spiffe://[0-9a-f-]+\\.consul/ns/default/dc/dc1/svc/${service}\\b`);
  stage.check('the client proves to be web', uri('web').test(shown.output), shown.output);
  stage.check(
    'the server proves to be postgresql',
    uri('postgresql').test(shown.output) && uri('postgresql').test(line ?? ''),
  );
}
