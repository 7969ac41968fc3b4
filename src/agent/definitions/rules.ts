/** Rules of definitions, in the words of configuration files; those of the API are in `registration.ts`. */
import { metadataProblem, type ServiceRegistration, weightsProblem } from '../../structs/index.ts';

/** What is wrong with a service of a configuration file, apart from its kind. */
export function serviceProblems(service: ServiceRegistration): string[] {
  const problems: string[] = [];
  const meta = metadataProblem(service.Meta, { gateway: service.Kind === 'mesh-gateway' });
  if (meta !== undefined) problems.push(`invalid meta for service ${service.Name}: ${meta}`);
  if (service.SocketPath !== '' && (service.Port !== 0 || service.Address !== '')) {
    problems.push(`service ${service.Name} cannot have both socket path ${service.SocketPath} and address/port`);
  }
  const weights = service.Weights === null ? undefined : weightsProblem(service.Weights);
  if (weights !== undefined) problems.push(`Invalid weight definition for service ${service.Name}: ${weights}`);
  const sidecar = service.Connect?.SidecarService;
  if (sidecar != null) {
    if (sidecar.ID !== '') problems.push("sidecar_service can't specify an ID");
    const nested = sidecar.Connect?.SidecarService;
    if (nested !== null && nested !== undefined) problems.push("sidecar_service can't have a nested sidecar_service");
    problems.push(...serviceProblems({ ...sidecar, Name: service.Name, Connect: null }));
  }
  return problems;
}
