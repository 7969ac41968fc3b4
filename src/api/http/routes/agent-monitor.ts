/** `/v1/agent/monitor`: the log from now on, until the client leaves. A client that reads too slowly loses lines. */
import type { LocalAgent, LogLevel } from '../../local-agent.ts';
import type { Answer, BodySink } from '../answer.ts';
import { badRequest } from '../errors.ts';
import { pause } from '../pause.ts';
import type { ApiRequest } from '../request.ts';
import type { Route } from '../route.ts';
import { route } from './agent-support.ts';

const flushMs = 200;
const linesMax = 512;

const levels: Readonly<Record<string, LogLevel>> = {
  '': 'info',
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  err: 'error',
  error: 'error',
};

export function agentMonitorRoute(agent: LocalAgent): Route {
  return route('GET', '/v1/agent/monitor', (request) => monitor(agent, request));
}

function monitor(agent: LocalAgent, { query }: ApiRequest): Answer {
  const name = query.get('loglevel');
  const level = levels[name.toLowerCase()];
  if (level === undefined) throw badRequest(`Unknown log level: ${name}`);
  const json = query.has('logjson');
  return { status: 200, body: { stream: (sink) => follow(agent, level, json, sink) } };
}

async function follow(agent: LocalAgent, level: LogLevel, json: boolean, sink: BodySink): Promise<void> {
  let waiting: string[] = [];
  const stop = agent.monitor(level, json, (line) => {
    if (waiting.length < linesMax) waiting.push(line);
  });
  try {
    while (!sink.closed.aborted) {
      await pause(flushMs, sink.closed);
      if (waiting.length === 0) continue;
      const lines = waiting;
      waiting = [];
      await sink.write(lines.map((line) => `${line}\n`).join(''));
    }
  } finally {
    stop();
  }
}
