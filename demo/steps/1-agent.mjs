import { inspect } from '../lib/processes.mjs';
import { note, printed, typed } from '../lib/terminal.mjs';

export const title = 'One agent';

export async function run(stage) {
  note('counting, dashboard and PostgreSQL run already: plain programs that know of no mesh.');
  stage.install('config');
  const words = ['agent', '-dev', `-config-dir=${stage.configFolder}`, ...portFlags(stage)];
  typed(
    `heddle ${words.join(' ').replace(stage.configFolder, stage.offset === 0 ? 'demo/config' : stage.configFolder)}`,
  );
  const startedMs = performance.now();
  stage.agent = stage.start('agent', words);
  stage.agentStartedMs = startedMs;

  // Ready means: it answers, and it has a leader. First answer: a client of the dashboard sees a count.
  const [readyMs, answerMs] = await Promise.all([leaderKnown(stage, startedMs), firstAnswer(stage, startedMs)]);
  printed(stage.agent.text, 30);
  stage.facts.readySeconds = readyMs / 1000;
  stage.facts.firstAnswerSeconds = answerMs / 1000;
  // How long it took is a figure and no check: a machine may be busy with other things.
  stage.check('the agent is ready', Number.isFinite(readyMs));
  stage.check('a first answer came through two sidecars', Number.isFinite(answerMs));
  note(`ready after ${(readyMs / 1000).toFixed(2)} s`);
  note(`first answer through two sidecars: ${(answerMs / 1000).toFixed(2)} s from starting the agent`);
  stage.check('it prints what listens where', new RegExp(`\\b${stage.ports.http}\\b`).test(stage.agent.text));
  stage.facts.memory = memory(stage);
}

/** Only where ports are moved: by default nothing needs to be said. */
function portFlags({ offset, ports }) {
  if (offset === 0) return [];
  return [
    `-http-port=${ports.http}`,
    `-server-port=${ports.server}`,
    `-serf-lan-port=${ports.serfLan}`,
    `-serf-wan-port=${ports.serfWan}`,
    `-dns-port=${ports.dns}`,
    `-hcl=ports { sidecar_min_port = ${ports.sidecarMin} sidecar_max_port = ${ports.sidecarMin + 255} }`,
  ];
}

async function leaderKnown(stage, startedMs) {
  await until(stage, async () => {
    const leader = await fetch(`${stage.api}/v1/status/leader`);
    return leader.ok && (await leader.text()).length > 2;
  });
  return performance.now() - startedMs;
}

async function firstAnswer(stage, startedMs) {
  await until(stage, async () => {
    const answer = await fetch(`http://127.0.0.1:${stage.ports.gateway}/service/counting/`);
    return answer.ok && (await answer.text()).includes('"count"');
  });
  return performance.now() - startedMs;
}

async function until(stage, holds) {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; ) {
    if (stage.agent.exitCode !== null)
      throw new Error(`the agent ended (${stage.agent.exitCode}):\n${stage.agent.text}`);
    try {
      if (await holds()) return;
    } catch {
      // nobody answers yet: that is what is waited for
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`nothing after 30 s; the agent's log:\n${stage.agent.text}`);
}

/** The agent and what it started; each as name, pid, MB. */
export function memory(stage) {
  const agent = inspect(stage.agent.pid);
  const rows = [{ name: 'agent', pid: stage.agent.pid, rssMb: agent.rssMb }];
  for (const pid of agent.children) rows.push({ name: 'sidecars of the agent', pid, rssMb: inspect(pid).rssMb });
  if (stage.connectProxy !== undefined && stage.connectProxy.exitCode === null) {
    rows.push({ name: 'connect proxy', pid: stage.connectProxy.pid, rssMb: inspect(stage.connectProxy.pid).rssMb });
  }
  return rows;
}
