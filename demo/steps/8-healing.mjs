import { Prober } from '../lib/prober.mjs';
import { note, printed } from '../lib/terminal.mjs';

export const title = 'Hosts and servers fail, and the mesh heals';

export async function run(stage) {
  const { hosts } = stage;
  note('a second counting stands on host A. It takes a share of the requests as soon as its sidecar is healthy.');
  stage.services.spare = stage.service('counting-2', 'counting.mjs', {
    PORT: String(stage.ports.countingSpare),
    NAME: 'counting-2',
  });
  hosts.a.install('hosts/spare');
  hosts.a.services.push(stage.services.spare);
  const reloaded = await stage.heddle('reload');
  stage.check('reload at host A', reloaded.code === 0, reloaded.output);
  const both = await stage.eventually(
    () => hosts.a.get('/v1/health/connect/counting?passing').catch(() => []),
    (list) => list.length === 2,
    30_000,
  );
  stage.check('counting has two healthy sidecars, one a host', both.length === 2);

  const prober = new Prober(`http://127.0.0.1:${stage.ports.gateway}/service/counting/`);
  stage.prober = prober;
  try {
    await killLeader(stage, prober);
    await freezeHost(stage, prober);
    await loseMajority(stage, prober);
  } finally {
    await prober.stop();
  }
}

/** The name of the server that leads, as the others see it. */
async function leaderOf({ hosts }) {
  const asked = hosts.servers.filter(({ agent }) => agent.exitCode === null);
  for (const host of asked) {
    const address = await host.get('/v1/status/leader').catch(() => '');
    const leader = hosts.servers.find((each) => `${each.address}:${each.ports.server}` === address);
    if (leader !== undefined && leader.agent.exitCode === null) return leader;
  }
  return undefined;
}

/** Writes through host A until one is acknowledged. */
async function writes(stage) {
  const response = await fetch(`${stage.hosts.a.api}/v1/kv/demo/healing`, {
    method: 'PUT',
    body: 'woven',
    signal: AbortSignal.timeout(2_000),
  }).catch(() => null);
  return response?.status === 200;
}

async function killLeader(stage, prober) {
  const leader = await leaderOf(stage);
  console.log('');
  note(`kill -9 of ${leader.name}, which leads:`);
  const startMs = performance.now();
  await leader.kill();
  const written = await stage.eventually(() => writes(stage), Boolean, 15_000);
  const writtenMs = performance.now() - startMs;
  stage.check('the next write at host A is acknowledged', written);
  stage.time('leader killed: next acknowledged write', writtenMs);
  const next = await stage.eventually(
    () => leaderOf(stage),
    (server) => server !== undefined,
  );
  note(`${next?.name} leads now.`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const seen = prober.since(startMs);
  stage.check(`no request of the dashboard failed (${seen.asked} asked)`, seen.failed === 0, `${seen.failed} failed`);
  note(`${leader.name} comes back, on the data it had:`);
  const backMs = performance.now();
  leader.restart();
  const healthy = await stage.eventually(
    () => (next ?? leader).get('/v1/operator/autopilot/health').catch(() => ({})),
    ({ Servers }) => Servers?.filter(({ Voter, SerfStatus }) => Voter && SerfStatus === 'alive').length === 3,
    30_000,
  );
  stage.check('three voters again', healthy.Servers?.filter(({ Voter }) => Voter).length === 3);
  stage.time('killed server started: a voter, alive to all', performance.now() - backMs);
}

async function freezeHost(stage, prober) {
  const { a, b } = stage.hosts;
  console.log('');
  note(`SIGSTOP of everything on ${b.name}: its sockets stay open, and nobody answers. Gossip has to find out.`);
  const startMs = performance.now();
  b.freeze();
  try {
    const noticed = await stage.eventually(
      () => a.get(`/v1/health/node/${b.name}`).catch(() => []),
      (checks) => checks.some(({ CheckID, Status }) => CheckID === 'serfHealth' && Status === 'critical'),
      60_000,
    );
    const noticedMs = performance.now() - startMs;
    stage.check(
      `serfHealth of ${b.name} is critical`,
      noticed.some(({ Status }) => Status === 'critical'),
    );
    stage.time('host stopped: its serfHealth critical', noticedMs);
    const goodMs = await prober.goodAgain(startMs, { count: 20 });
    stage.check('the dashboard goes on with counting-2 on host A', Number.isFinite(goodMs));
    stage.time('host stopped: all requests answered again', goodMs - startMs);
    const during = prober.since(startMs);
    note(
      `${during.asked} requests meanwhile, ${during.failed} of them failed; longest time without an answer ${Math.round(during.gapMs)} ms.`,
    );
    const left = await a.get('/v1/health/connect/counting?passing');
    stage.check('the sidecar of counting on host B is not offered any more', left.length === 1, String(left.length));
    await stage.heddle('members');
  } finally {
    b.thaw();
  }
  const thawedMs = performance.now();
  const back = await stage.eventually(
    () => a.get('/v1/health/connect/counting?passing').catch(() => []),
    (list) => list.length === 2,
    60_000,
  );
  note(`SIGCONT: ${b.name} refutes, and is back.`);
  stage.check('both sidecars of counting are healthy again', back.length === 2);
  stage.time('host continued: healthy again', performance.now() - thawedMs);
}

async function loseMajority(stage, prober) {
  const { a, servers } = stage.hosts;
  const [first, second, last] = servers;
  console.log('');
  note(`kill -9 of ${first.name} and ${second.name}: ${last.name} alone is no majority, and decides nothing.`);
  const from = a.agent.lines.length;
  const startMs = performance.now();
  await Promise.all([first.kill(), second.kill()]);
  const refused = await stage.eventually(
    () => writes(stage),
    (done) => !done,
    10_000,
  );
  stage.check('no write is acknowledged', refused === false);
  const said = await a.agent.line(/last known/, { from, ms: 30_000 });
  printed(said ?? a.agent.text, 12);
  stage.check("host A's agent says that it goes on with the last known state", said !== null);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const seen = prober.since(startMs);
  stage.check(
    `the sidecars go on: no request of the dashboard failed (${seen.asked} asked)`,
    seen.failed === 0,
    `${seen.failed} failed`,
  );
  note('both come back:');
  const backMs = performance.now();
  first.restart();
  second.restart();
  const written = await stage.eventually(() => writes(stage), Boolean, 30_000);
  stage.check('writes are acknowledged again', written);
  stage.time('majority back: next acknowledged write', performance.now() - backMs);
  const current = await stage.eventually(
    () => stage.hosts.a.get('/v1/health/service/counting?passing').catch(() => []),
    (list) => list.length === 2,
    30_000,
  );
  stage.check('host A is current again', current.length === 2);
}
