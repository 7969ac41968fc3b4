/** From what a definition says to the runner that does it. Of several kinds in one definition the first counts. */
import type { LocalState } from '../state.ts';
import { type AliasTarget, LocalAlias, type NodeChecks, RemoteAlias } from './alias.ts';
import { dockerProbe } from './docker.ts';
import { grpcProbe } from './grpc.ts';
import { h2pingProbe } from './h2ping.ts';
import { httpProbe } from './http.ts';
import { PeriodicCheck, type Probe } from './periodic.ts';
import type { Runner, RunnerContext } from './runner.ts';
import { scriptProbe } from './script.ts';
import { tcpProbe } from './tcp.ts';
import { TtlCheck } from './ttl.ts';

/** What every form of a check definition says about running it (structs/service-definition.ts). Nanoseconds. */
export interface CheckSpec {
  readonly ScriptArgs: readonly string[] | null;
  readonly HTTP: string;
  readonly H2PING: string;
  readonly H2PingUseTLS: boolean | null;
  readonly Header: Readonly<Record<string, readonly string[] | null>> | null;
  readonly Method: string;
  readonly Body: string;
  readonly DisableRedirects: boolean;
  readonly TCP: string;
  readonly TCPUseTLS: boolean;
  readonly Interval: number;
  readonly DockerContainerID: string;
  readonly Shell: string;
  readonly GRPC: string;
  readonly GRPCUseTLS: boolean;
  readonly TLSServerName: string;
  readonly TLSSkipVerify: boolean;
  readonly AliasNode: string;
  readonly AliasService: string;
  readonly Timeout: number;
  readonly TTL: number;
  readonly SuccessBeforePassing: number;
  readonly FailuresBeforeWarning: number;
  readonly FailuresBeforeCritical: number;
  readonly OutputMaxSize: number;
}

export type CheckKind = 'ttl' | 'http' | 'tcp' | 'grpc' | 'docker' | 'script' | 'h2ping' | 'alias';

export const isScript = (spec: CheckSpec): boolean => (spec.ScriptArgs ?? []).length > 0;
export const isAlias = (spec: CheckSpec): boolean => spec.AliasNode !== '' || spec.AliasService !== '';

export function kindOf(spec: CheckSpec): CheckKind {
  if (spec.TTL > 0) return 'ttl';
  if (spec.HTTP !== '') return 'http';
  if (spec.TCP !== '') return 'tcp';
  if (spec.GRPC !== '') return 'grpc';
  if (isScript(spec) && spec.DockerContainerID !== '') return 'docker';
  if (isScript(spec)) return 'script';
  if (spec.H2PING !== '') return 'h2ping';
  return 'alias';
}

export interface MakeOptions {
  readonly checkId: string;
  readonly outputBytesMax: number;
  readonly state: LocalState;
  readonly nodeChecks: NodeChecks;
  readonly dockerHost: string;
}

const millis = (nanoseconds: number): number => nanoseconds / 1e6;
const timeoutMs = (spec: CheckSpec, fallback: number): number => (spec.Timeout > 0 ? millis(spec.Timeout) : fallback);

export function makeRunner(spec: CheckSpec, options: MakeOptions, context: RunnerContext): Runner {
  const kind = kindOf(spec);
  const bytesMax = outputLimit(spec, options.outputBytesMax);
  if (kind === 'ttl') return new TtlCheck(millis(spec.TTL), bytesMax, context);
  if (kind === 'alias') return aliasRunner(spec, options, context);
  return new PeriodicCheck(
    probeOf(kind, spec, bytesMax, options),
    {
      intervalMs: Math.max(1_000, millis(spec.Interval)),
      successBeforePassing: spec.SuccessBeforePassing,
      failuresBeforeWarning: spec.FailuresBeforeWarning,
      failuresBeforeCritical: spec.FailuresBeforeCritical,
    },
    context,
  );
}

function outputLimit(spec: CheckSpec, agentMax: number): number {
  return spec.OutputMaxSize > 0 ? Math.min(agentMax, spec.OutputMaxSize) : agentMax;
}

function aliasRunner(spec: CheckSpec, options: MakeOptions, context: RunnerContext): Runner {
  const target: AliasTarget = { checkId: options.checkId, node: spec.AliasNode, serviceId: spec.AliasService };
  if (spec.AliasNode === '') return new LocalAlias(target, options.state, context);
  return new RemoteAlias(target, options.nodeChecks, context);
}

function probeOf(
  kind: Exclude<CheckKind, 'ttl' | 'alias'>,
  spec: CheckSpec,
  bytesMax: number,
  options: MakeOptions,
): Probe {
  const tls = { serverName: spec.TLSServerName, skipVerify: spec.TLSSkipVerify };
  switch (kind) {
    case 'http':
      return httpProbe({
        ...tls,
        url: spec.HTTP,
        method: spec.Method,
        headers: Object.fromEntries(Object.entries(spec.Header ?? {}).map(([name, values]) => [name, values ?? []])),
        body: spec.Body,
        timeoutMs: timeoutMs(spec, 10_000),
        outputBytesMax: bytesMax,
        followRedirects: !spec.DisableRedirects,
      });
    case 'tcp':
      return tcpProbe({ ...tls, address: spec.TCP, timeoutMs: timeoutMs(spec, 10_000), tls: spec.TCPUseTLS });
    case 'grpc':
      return grpcProbe({ ...tls, target: spec.GRPC, timeoutMs: timeoutMs(spec, 10_000), tls: spec.GRPCUseTLS });
    case 'h2ping':
      return h2pingProbe({
        ...tls,
        address: spec.H2PING,
        timeoutMs: timeoutMs(spec, 10_000),
        tls: spec.H2PingUseTLS ?? true,
      });
    case 'docker':
      return dockerProbe({
        container: spec.DockerContainerID,
        shell: spec.Shell,
        args: spec.ScriptArgs ?? [],
        outputBytesMax: bytesMax,
        host: options.dockerHost,
      });
    case 'script':
      return scriptProbe({ args: spec.ScriptArgs ?? [], timeoutMs: timeoutMs(spec, 30_000), outputBytesMax: bytesMax });
  }
}
