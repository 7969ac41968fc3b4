/** An agent's configuration: sources in, one checked value out. */
export type { AgentConfig, Listen } from './agent-config.ts';
export { readBootstrapEntry } from './bootstrap-entry.ts';
export { refusals } from './build.ts';
export { needRestart } from './changes.ts';
export { type AgentFlag, agentFlags, type FlagValue } from './flags.ts';
export { keys, type Settings } from './keys/index.ts';
export { type LoadInput, loadConfig } from './load.ts';
export { ConfigError } from './problems.ts';
export { leaves } from './schema.ts';
