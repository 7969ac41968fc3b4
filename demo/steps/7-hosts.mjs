import { fiveHosts, refuseTakenPorts } from '../lib/hosts.mjs';
import { run as command, inspect } from '../lib/processes.mjs';
import { note, printed, typed } from '../lib/terminal.mjs';
import { memory as memoryOfOne } from './1-agent.mjs';

export const title = 'Five hosts: three servers, and an agent on each host of services';

export async function run(stage) {
  note('the one agent goes; counting, dashboard and PostgreSQL go on, and do not know.');
  stage.facts.memory = memoryOfOne(stage);
  await stage.session?.stop();
  await stage.connectProxy?.stop();
  await stage.agent.stop();

  const hosts = await fiveHosts(stage);
  await refuseTakenPorts(hosts);
  stage.hosts = hosts;
  if (hosts.shared) note('this system has only 127.0.0.1: the hosts differ by their ports.');
  hosts.a.install('hosts/a');
  hosts.b.install('hosts/b');
  hosts.a.services = [stage.services.dashboard];
  hosts.b.services = [stage.services.counting, stage.services.postgres];

  typed('heddle keygen');
  const key = (await command(process.execPath, [`${stage.root}/bin/heddle`, 'keygen'])).output.trim();
  note('(the key of the gossip: no datagram between the hosts is readable, and nobody without it joins)');
  const join = [`-encrypt=${key}`, ...hosts.servers.map((server) => `-retry-join=${server.gossipAddress}`)];
  const startedMs = performance.now();
  for (const server of hosts.servers) server.start(['-server', '-bootstrap-expect=3', ...join]);
  for (const host of [hosts.a, hosts.b]) host.start(join);
  const shown = '-encrypt=… -retry-join=…';
  for (const server of hosts.servers) {
    typed(`heddle agent -server -bootstrap-expect=3 -node=${server.name} -bind=${server.address} ${shown}`);
  }
  for (const { name, address } of [hosts.a, hosts.b]) {
    typed(`heddle agent -node=${name} -bind=${address} -config-dir=demo/hosts/${name.at(-1)} ${shown}`);
  }
  const url = `http://127.0.0.1:${stage.ports.gateway}/service/counting/`;
  await stage.eventually(
    () => hosts.a.get('/v1/status/leader').catch(() => ''),
    (leader) => leader !== '',
    30_000,
  );
  const leaderMs = performance.now() - startedMs;
  const answer = await stage.eventually(
    () => fetch(url).then((response) => response.text(), String),
    (text) => text.includes('"count"'),
    30_000,
  );
  const answerMs = performance.now() - startedMs;
  stage.check('dashboard on host A reaches counting on host B', answer.includes('"count"'), answer);
  stage.time('five hosts: a leader, from starting the first', leaderMs);
  stage.time('five hosts: first answer through the sidecars of two hosts', answerMs);

  // From here on the operator sits at host A: its agent knows no more than any other, and asks the servers.
  stage.env = { HEDDLE_HTTP_ADDR: hosts.a.httpAddress };
  typed(`export HEDDLE_HTTP_ADDR=${hosts.a.httpAddress}`);
  const members = await stage.eventually(
    () => command(process.execPath, [`${stage.root}/bin/heddle`, 'members'], { env: stage.env }),
    ({ output }) => output.match(/\balive\b/g)?.length === 5,
  );
  typed('heddle members');
  printed(members.output);
  stage.check('five members, all alive', members.output.match(/\balive\b/g)?.length === 5);
  const peers = await stage.heddle('operator raft list-peers');
  stage.check('three voters, one of them leads', /\bleader\b/.test(peers.output) && votersOf(peers.output) === 3);
  await decide(stage);
}

const votersOf = (output) => output.match(/\btrue\b/g)?.length ?? 0;

/** An intention made at host A decides at host B, whose sidecar guards PostgreSQL. */
async function decide(stage) {
  const { a, b } = stage.hosts;
  const port = stage.ports.sqlUpstream;
  typed(`heddle connect proxy -service web -upstream postgresql:${port}`);
  stage.connectProxy = stage.start('connect proxy', [
    'connect',
    'proxy',
    '-service',
    'web',
    '-upstream',
    `postgresql:${port}`,
  ]);
  const works = await stage.eventually(
    () => stage.sql.once(port, 'select count(*) from threads'),
    ({ code }) => code === 0,
    20_000,
  );
  stage.check('SQL works from host A to host B', works.code === 0, works.output);
  const from = b.agent.lines.length;
  const saidMs = performance.now();
  await stage.heddle('intention create -deny web postgresql');
  const doneMs = performance.now();
  const refused = await stage.eventually(
    () => stage.sql.once(port, 'select 1'),
    ({ code }) => code !== 0,
  );
  stage.check('denied at host A, refused at host B', refused.code !== 0, refused.output);
  const reason = await b.agent.line(/refus.*denied|Action: DENY/, { from });
  note("and host B's agent says why:");
  printed(reason ?? b.agent.text);
  stage.check('the refusal is explained where it happened', reason !== null);
  note(`(the command took ${Math.round(doneMs - saidMs)} ms; ${a.name} asked the leader)`);
  await stage.heddle('intention delete web postgresql');
  await stage.connectProxy.stop();
}

/** A host's agent and its sidecars; each as name, pid, MB. */
export function memory({ name, agent }) {
  if (agent === null || agent.exitCode !== null) return [];
  const { rssMb, children } = inspect(agent.pid);
  const sidecars = children.map((pid) => ({ name: `sidecars of ${name}`, pid, rssMb: inspect(pid).rssMb }));
  return [{ name, pid: agent.pid, rssMb }, ...sidecars];
}
