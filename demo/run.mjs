// The main job of Heddle, step by step: services register, find each other and talk through mutually authenticated sidecars,
// and an operator decides who may talk to whom. First with one agent, then on five hosts, some of which fail.
//
//   npm run demo                          stops between the steps, and leaves everything running at the end
//   npm run demo -- --check               without waiting; every step is checked; exit code 1 where one fails
//   npm run demo -- --port-offset 1000    all ports moved (also HEDDLE_DEMO_PORT_OFFSET)
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Checks } from './lib/checks.mjs';
import { portsTaken } from './lib/ports.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { stopAll } from './lib/processes.mjs';
import { Sql } from './lib/sql.mjs';
import { Stage } from './lib/stage.mjs';
import { note, printed, red, seconds, table, title } from './lib/terminal.mjs';
import { Wiretap } from './lib/wiretap.mjs';
import * as agent from './steps/1-agent.mjs';
import * as services from './steps/2-services.mjs';
import * as http from './steps/3-http.mjs';
import * as sql from './steps/4-sql.mjs';
import * as intentions from './steps/5-intentions.mjs';
import * as operations from './steps/6-operations.mjs';
import * as hosts from './steps/7-hosts.mjs';
import * as healing from './steps/8-healing.mjs';

const steps = [agent, services, http, sql, intentions, operations, hosts, healing];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const help = `npm run demo -- [options]

  --check            do not wait between the steps, check every one, exit 1 where one fails
  --port-offset N    move every port by N (also HEDDLE_DEMO_PORT_OFFSET); for when some are in use
  --help             this text

HEDDLE_DEMO_PGLITE=1 uses the embedded PostgreSQL even where a server is installed, HEDDLE_DEMO_PSQL=0 the SQL client
of this project even where psql is.
`;
const { values } = readOptions();
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

function readOptions() {
  try {
    return parseArgs(options());
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`);
    process.exit(1);
  }
}

function options() {
  const offset = process.env.HEDDLE_DEMO_PORT_OFFSET ?? '0';
  return {
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      check: { type: 'boolean', default: false },
      'port-offset': { type: 'string', default: offset },
    },
  };
}

const offset = Number(values['port-offset']);
if (!Number.isInteger(offset) || offset < 0 || offset > 40_000) {
  console.error('--port-offset must be a whole number from 0 to 40000');
  process.exit(1);
}

let stage = null;
let stopping = null;
let folder = null;

/** Once, whoever asks first: processes, the wiretap, files. */
function stop() {
  stopping ??= (async () => {
    await stage?.prober?.stop();
    stage?.hosts?.b.thawIfFrozen();
    await stage?.connectProxy?.stop();
    await stopAll();
    stage?.tap?.stop();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  })();
  return stopping;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    writeSync(2, '\nstopping…\n');
    console.log = () => {}; // the step under way finds its processes gone; that is no news
    void stop().then(() => process.exit(values.check ? 1 : 0));
  });
}

async function main() {
  // Plain JavaScript up to here, since a fresh clone has neither dependencies nor a build.
  const ready = spawnSync(process.execPath, [join(root, 'scripts', 'ready.mjs'), '--build'], { stdio: 'inherit' });
  if (ready.status !== 0) return 1;
  const taken = await portsTaken(offset);
  if (taken.length > 0) {
    for (const { port, purpose } of taken)
      console.error(red(`port ${port} is in use; the demo wants it for: ${purpose}`));
    console.error('Stop what uses them, or move all ports of the demo: npm run demo -- --port-offset 1000');
    return 1;
  }
  const checks = new Checks();
  folder = mkdtempSync(join(tmpdir(), 'heddle-demo-'));
  chmodSync(folder, 0o755); // the database may run as another user, and its own folder is closed to others
  stage = new Stage({
    root,
    folder,
    offset,
    interactive: !values.check && process.stdin.isTTY === true,
    checks,
    sql: await Sql.find(join(root, 'demo')),
  });
  await openTheStage(stage);
  for (const [i, step] of steps.entries()) {
    checks.step = String(i + 1);
    title(`${i + 1}. ${step.title}`);
    try {
      await step.run(stage);
    } catch (error) {
      checks.check(`step ${i + 1} runs to its end`, false, error.message);
      break;
    }
    if (i < steps.length - 1) await stage.pause();
  }
  summary(stage, checks);
  if (!values.check && checks.failed === 0 && process.stdin.isTTY) await leaveRunning(stage);
  return checks.failed === 0 ? 0 : 1;
}

/** What runs without a mesh: the services, the database, and the wiretap where the sidecar of the database will be. */
async function openTheStage(on) {
  const { ports } = on;
  const port = (value) => String(value);
  const dashboardEnv = {
    PORT: port(ports.dashboard),
    GATEWAY_PORT: port(ports.gateway),
    COUNTING_SERVICE_URL: `http://127.0.0.1:${ports.countingUpstream}`,
  };
  const counting = on.service('counting', 'counting.mjs', { PORT: port(ports.counting) });
  const dashboard = on.service('dashboard', 'dashboard.mjs', dashboardEnv);
  const postgres = await startPostgres({ folder, port: ports.postgres, demo: on.demo });
  on.facts.database = postgres.kind;
  on.services = { counting, dashboard, postgres: postgres.server };
  on.tap = new Wiretap();
  await on.tap.start(ports.postgresSidecar, ports.postgresBind);
  for (const service of [counting, dashboard])
    if ((await service.line(/listens/)) === null) throw new Error(service.text);
  note(`database: ${postgres.kind}; SQL client: ${on.sql.name}`);
}

function summary(on, checks) {
  title('What was seen');
  checks.print();
  if (on.facts.firstAnswerSeconds === undefined) return;
  console.log('');
  console.log(`agent ready:                         ${on.facts.readySeconds.toFixed(2)} s from starting it`);
  console.log(
    `first answer through two sidecars:   ${on.facts.firstAnswerSeconds.toFixed(2)} s from starting the agent`,
  );
  if (on.times.length > 0) {
    console.log('');
    table(
      ['five hosts', 'time'],
      on.times.map(({ what, ms }) => [what, seconds(ms)]),
    );
  }
  memoryTable('one agent', on.hosts === null ? agent.memory(on) : on.facts.memory);
  if (on.hosts !== null) memoryTable('five hosts', on.hosts.all.flatMap(hosts.memory));
  if (checks.failed > 0) {
    for (const { name, text } of on.agents) {
      title(`The log of ${name}`);
      printed(text, 60);
    }
  }
}

function memoryTable(of, rows) {
  const known = rows.filter(({ rssMb }) => rssMb !== null);
  if (known.length === 0) return;
  console.log('');
  table(
    [of, 'pid', 'memory'],
    [
      ...known.map(({ name, pid, rssMb }) => [name, String(pid), `${rssMb} MB`]),
      ['together', '', `${known.reduce((sum, { rssMb }) => sum + rssMb, 0)} MB`],
    ],
  );
}

async function leaveRunning({ ports, hosts: running }) {
  console.log(
    `\nEverything goes on running: http://localhost:${ports.dashboard}/ shows the count. Ctrl-C ends it all.\n` +
      `Ask any agent, in another terminal: HEDDLE_HTTP_ADDR=${running.a.httpAddress} npx heddle members`,
  );
  await new Promise(() => {});
}

let code = 1;
try {
  code = await main();
} catch (error) {
  console.error(red(error.message));
} finally {
  await stop();
}
process.exit(code);
