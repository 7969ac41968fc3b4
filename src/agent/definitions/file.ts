/** Service and check definitions in their file form (snake_case), read by the records that the API uses. */
import {
  type CheckRegistration,
  checkRegistration,
  type Schema,
  type ServiceRegistration,
  serviceRegistration,
} from '../../structs/index.ts';
import { type DefinitionReader, type FileNames, isObject, readRecord, type Walk } from '../config/decode.ts';

const checkNames: FileNames = {
  ServiceID: ['service_id', 'serviceid'],
  ScriptArgs: ['args', 'script_args', 'scriptargs'],
  DockerContainerID: ['docker_container_id', 'dockercontainerid'],
  TLSSkipVerify: ['tls_skip_verify', 'tlsskipverify'],
  DeregisterCriticalServiceAfter: ['deregister_critical_service_after', 'deregistercriticalserviceafter'],
  TCPUseTLS: 'tcp_use_tls',
};

function fileNames(goType: string): FileNames {
  switch (goType) {
    case 'CheckType':
      return { ...checkNames, CheckID: 'id', ProxyHTTP: undefined, ProxyGRPC: undefined };
    case 'CheckDefinition':
      return checkNames;
    case 'ExposePath':
      return { ParsedFromCheck: undefined };
    default:
      return {};
  }
}

export const definitionReader: DefinitionReader = {
  read(kind, input, path, walk) {
    if (kind === 'check') return readRecord(checkRegistration as Schema<unknown>, input, path, walk, fileNames);
    return readService(input, path, walk);
  },
};

function readService(given: unknown, path: string, walk: Walk): Record<string, unknown> {
  const record = readRecord(serviceRegistration as Schema<unknown>, given, path, walk, fileNames);
  const input = walk.single(given);
  if (!isObject(input)) return record;
  const connect = walk.single(value(input, 'connect'));
  const sidecar = isObject(connect) ? walk.single(value(connect, 'sidecar_service')) : undefined;
  const known = record.Connect as { SidecarService?: object | null } | null;
  return {
    ...record,
    Weights: fileWeights(input, walk),
    ...(known?.SidecarService && isObject(sidecar)
      ? { Connect: { ...known, SidecarService: { ...known.SidecarService, Weights: fileWeights(sidecar, walk) } } }
      : {}),
  };
}

const value = (object: Record<string, unknown>, name: string): unknown =>
  Object.entries(object).find(([key]) => key.toLowerCase() === name)?.[1];

/** In files a weight that is not given is 1, also beside one that is. */
function fileWeights(service: Record<string, unknown>, walk: Walk): { Passing: number; Warning: number } {
  const given = walk.single(value(service, 'weights'));
  const of = (name: string): number => {
    const weight = isObject(given) ? value(given, name) : undefined;
    return typeof weight === 'number' ? Math.trunc(weight) : 1;
  };
  return { Passing: of('passing'), Warning: of('warning') };
}

/** A service as a file defined it, all fields present. */
export const asService = (definition: unknown): ServiceRegistration => definition as ServiceRegistration;
export const asCheck = (definition: unknown): CheckRegistration => definition as CheckRegistration;
