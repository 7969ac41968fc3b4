/** What the mesh means: decisions on intentions, and the one object a proxy is fed with. */

export { mergeServiceConfig, serviceConfigRequest } from './central-config.ts';
export * from './decision/index.ts';
