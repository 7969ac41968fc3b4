/**
 * `heddle agent`: an agent as a process of its own. Prints the banner and the log, obeys signals, and ends with the exit
 * code that supervisors know: 0 after a graceful leave, 1 otherwise.
 *
 *     HUP   reload
 *     INT   leave, then end, unless skip_leave_on_interrupt (true on servers)
 *     TERM  the same if leave_on_terminate (true on clients)
 *     a second INT or TERM, or 15 s: end at once
 */
import { rmSync, writeFileSync } from 'node:fs';
import { HeddleError } from '../std/errors.ts';
import { Agent, type Ending } from './agent.ts';
import { banner } from './banner.ts';
import { systemClock } from './clock.ts';
import { ConfigError, type FlagValue, type LoadInput } from './config/index.ts';
import { becomeClient, becomeServer } from './process/index.ts';

export interface RunInput {
  readonly flags: ReadonlyMap<string, FlagValue>;
  readonly args: readonly string[];
  /** Aborted by the first INT or TERM, its reason the signal's name; a second one ends the process. */
  readonly signal: AbortSignal;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Ends the process when something keeps it alive after a failure; `process.exit` unless said. */
  readonly exit?: (code: number) => void;
}

const leaveMs = 15_000;
/** How long the parts of an agent may take to end. */
const stopMs = 10_000;
/** How long a process whose agent failed may live on, for its last lines of log. */
const lastWordsMs = 500;

export async function runAgent(input: RunInput): Promise<number> {
  if (input.args.length > 0) return fatal(input, `Unexpected extra arguments: [${input.args.join(' ')}]`);
  let agent: Agent | undefined;
  const hangup = (): void => {
    if (agent === undefined) input.error('==> Caught hangup before the agent has started: not reloaded');
    else void reload(agent);
  };
  process.on('SIGHUP', hangup);
  let configured: Agent | undefined;
  let pidFile = '';
  let stopWatching = (): void => undefined;
  try {
    const starting = Agent.start({
      ...loadInput(input.flags),
      output: input.out,
      onConfigured: (starting) => {
        configured = starting;
        if (starting.config.server) stopWatching = becomeServer(() => starting.httpConnections);
        pidFile = writePidFile(starting.config.settings.pid_file);
        if (!starting.config.settings.log_json) {
          input.out(banner(starting.config, starting.nodeId, starting.dataDir));
        }
      },
    });
    // A server of a new cluster may wait for the others for ever: it can be told to end before it has started.
    const early = await Promise.race([starting.then(() => undefined), interrupted(input.signal)]);
    if (early !== undefined && configured !== undefined)
      return await endEarly(configured, starting, early, input.exit ?? process.exit);
    agent = await starting;
    if (!agent.config.server) stopWatching = becomeClient(systemClock);
    return await untilEnd(agent, input.signal);
  } catch (error) {
    return startFailure(input, configured, error);
  } finally {
    process.off('SIGHUP', hangup);
    stopWatching();
    if (pidFile !== '') rmSync(pidFile, { force: true });
  }
}

function loadInput(flags: ReadonlyMap<string, FlagValue>): LoadInput {
  return {
    dev: flags.get('dev') === true,
    files: (flags.get('config-file') as readonly string[] | undefined) ?? [],
    format: (flags.get('config-format') as string | undefined) ?? '',
    fragments: (flags.get('hcl') as readonly string[] | undefined) ?? [],
    flags,
  };
}

/** Before the banner: one line on standard error. Behind it: a line of the log. */
function startFailure(input: RunInput, configured: Agent | undefined, error: unknown): number {
  const expected = error instanceof ConfigError || error instanceof HeddleError;
  const text =
    expected || !(error instanceof Error) ? String((error as Error).message) : (error.stack ?? error.message);
  if (configured === undefined) return fatal(input, text);
  configured.log.error('Error starting agent', { error: text });
  configured.log.info('Exit code', { code: 1 });
  return 1;
}

function fatal(input: RunInput, text: string): number {
  input.error(`==> ${text}`);
  return 1;
}

async function reload(agent: Agent): Promise<void> {
  agent.log.info('Caught', { signal: 'hangup' });
  try {
    await agent.reload();
  } catch (error) {
    agent.log.error('Reloading configuration failed, the old one holds', { error });
  }
}

async function untilEnd(agent: Agent, signal: AbortSignal): Promise<number> {
  const ending = await Promise.race([agent.ended, interrupted(signal)]);
  const code = typeof ending === 'string' ? await obey(agent, ending) : await ended(agent, ending);
  const failed = typeof ending !== 'string' && ending.kind === 'failed';
  if (!(await inTime(agent.stop(), stopMs))) agent.log.error('a part of the agent does not stop');
  agent.log.info('Exit code', { code });
  // A database whose disk failed may keep its threads, and with them the process: supervisors wait for its end.
  if (failed) setTimeout(() => process.exit(code), lastWordsMs).unref();
  return code;
}

async function endEarly(
  agent: Agent,
  starting: Promise<Agent>,
  signal: string,
  exit: (code: number) => void,
): Promise<number> {
  agent.log.info('Caught before the agent has started', { signal: signal === 'SIGINT' ? 'interrupt' : 'terminated' });
  // What stopping does to the start is no failure any more.
  starting.catch(() => undefined);
  if (!(await inTime(agent.stop(), stopMs))) agent.log.error('a part of the agent does not stop');
  agent.log.info('Exit code', { code: 1 });
  setTimeout(() => exit(1), lastWordsMs).unref();
  return 1;
}

function interrupted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const told = (): void => resolve(String(signal.reason));
    if (signal.aborted) told();
    else signal.addEventListener('abort', told, { once: true });
  });
}

async function ended(agent: Agent, ending: Ending): Promise<number> {
  if (ending.kind === 'left') return 0;
  agent.log.error('The agent cannot go on', { error: ending.error });
  return 1;
}

async function obey(agent: Agent, signal: string): Promise<number> {
  const interrupt = signal === 'SIGINT';
  agent.log.info('Caught', { signal: interrupt ? 'interrupt' : 'terminated' });
  const { leaveOnTerminate, skipLeaveOnInterrupt } = agent.config;
  if (interrupt ? skipLeaveOnInterrupt : !leaveOnTerminate) {
    agent.log.info('Graceful shutdown disabled. Exiting');
    return 1;
  }
  agent.log.info('Gracefully shutting down agent...');
  if (!(await inTime(agent.leave(), leaveMs))) {
    agent.log.error('Timeout on graceful leave. Exiting');
    return 1;
  }
  agent.log.info('Graceful exit completed');
  return 0;
}

/** Whether the work ends within so many milliseconds. It goes on if not. */
function inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms).unref());
  return Promise.race([work.then(() => true), late]);
}

function writePidFile(path: string): string {
  if (path !== '') writeFileSync(path, String(process.pid));
  return path;
}
