/** What the mesh means: decisions on intentions, and the one object a proxy is fed with. */
export * from './decision/index.ts';
