/**
 * Heddle as a library.
 *
 *     import { Agent } from 'heddle';
 *     const agent = await Agent.start({ dev: true, anyPorts: true });
 *     await fetch(`${agent.httpAddress}/v1/status/leader`);
 *     await agent.stop();
 *
 * `given` takes a configuration as a JSON file would hold it. Nothing of the agent is left after `stop`.
 */
export { Agent, type AgentOptions, ConfigError, type Ending } from './agent/index.ts';
export { version } from './version.ts';
