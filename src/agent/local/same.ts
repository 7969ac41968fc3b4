/** When what the catalog holds is what the agent has: as one comparable text each, indexes left out. */
import { encode, type HealthCheck, healthCheck, type NodeService, nodeService } from '../../structs/index.ts';

export function serviceText(service: NodeService): string {
  return encode(nodeService, {
    ...service,
    Tags: service.Tags ?? [],
    Meta: service.Meta ?? {},
    CreateIndex: 0,
    ModifyIndex: 0,
  });
}

export function checkText(check: HealthCheck): string {
  return encode(healthCheck, { ...check, ServiceTags: check.ServiceTags ?? [], CreateIndex: 0, ModifyIndex: 0 });
}

export function sameMap(a: Readonly<Record<string, string>> | null, b: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(a ?? {});
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => b[key] === value);
}
