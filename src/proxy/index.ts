/** The built-in layer-4 sidecar. It is fed by one agent's HTTP API and needs nothing else of the control plane. */
export type { AgentClientOptions } from './agent-client.ts';
export { type ConnectProxyOptions, findSidecar, runConnectProxy } from './connect-proxy.ts';
export type { HostProcessOptions } from './host-process.ts';
export type { ManagedSidecar } from './host-protocol.ts';
export { createLogger, type Logger, type LogLevel, logLevels } from './log.ts';
export { type RunningSidecar, type SidecarOptions, startSidecar } from './sidecar.ts';
export {
  parseHostPort,
  parseUpstreamFlag,
  type StaticConfig,
  type StaticFlags,
  staticConfig,
  type UpstreamFlag,
} from './static-config.ts';
