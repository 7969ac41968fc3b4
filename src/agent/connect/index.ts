/** The agent's part in identities: the leader's authority, and what every agent caches of roots and leaves. */
export { type AuthorityRights, everybodyMay, installAuthority } from './authority.ts';
export {
  type CaLog,
  CaManager,
  type CaManagerDeps,
  type CaManagerOptions,
  type CaManagerState,
  type CaServer,
} from './ca-manager.ts';
export { caServerOn } from './ca-server.ts';
export { LeafCache, type LeafCacheDeps, type LeafRequest } from './leaf-cache.ts';
export { type RootsAnswer, RootsCache, type RootsCacheDeps, type RootsRequest } from './roots-cache.ts';
