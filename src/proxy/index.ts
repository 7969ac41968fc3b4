/** The built-in layer-4 sidecar. It is fed by one agent's HTTP API and needs nothing else of the control plane. */
export { AgentClient, type AgentClientOptions } from './agent-client.ts';
export { createLogger, type Logger, type LogLevel, logLevels } from './log.ts';
export { type RunningSidecar, type SidecarOptions, startSidecar } from './sidecar.ts';
