/** The agent room's door. */
export { Agent, type AgentOptions, type Ending } from './agent.ts';
export type { AgentNetwork } from './agent-network.ts';
export { ConfigError } from './config/index.ts';
export { type RunInput, runAgent } from './run.ts';
