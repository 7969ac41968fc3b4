/**
 * What the leader's authority decides: the first root, a new configuration with or without a rotation, which old roots to
 * forget. Each decision takes the state and answers the state that should replace it, whole; the caller writes it in one
 * log entry, so that no server ever sees half a rotation.
 *
 *     initialise    nothing        ->  one active root
 *     reconfigure   new key/root   ->  new active root, cross-signed by the old one, which stays trusted for a while
 *                   anything else  ->  same roots, new configuration
 *     prune         roots out for longer than two leaf lifetimes are forgotten
 */
import { ok } from '../../std/result.ts';
import { type CaConfigurationRow, type CaProviderState, type CaRoot, jsonText } from '../../structs/index.ts';
import { type CaResult, caErr } from '../errors.ts';
import { trustDomainOf } from '../identity/trust-domain.ts';
import type { Certificate } from '../x509/certificate.ts';
import { crossSign, type Issuer, issued } from '../x509/issue.ts';
import {
  type ConsulProviderConfig,
  decodeProviderConfig,
  isKeyMark,
  keyMark,
  type ProviderConfig,
  providerId,
  withoutSecrets,
} from './provider-config.ts';
import {
  type AuthorityContext,
  activeRootOf,
  type CaState,
  makeRoot,
  openIssuer,
  openProviderKey,
  providerStateRecord,
  rootRecord,
} from './roots.ts';

const builtInProvider = 'consul';
/** Only the primary's authority lives here; a secondary's certificate is signed by the primary. */
const isPrimary = true;

/** The whole state to write in place of the old one. Indexes are the store's to set. */
export interface CaChange {
  readonly roots: readonly CaRoot[];
  readonly configuration: CaConfigurationRow;
  readonly providerState: CaProviderState;
}

export interface ConfigurationRequest {
  readonly Provider: string;
  readonly Config: ProviderConfig | null;
  readonly State: Readonly<Record<string, string>> | null;
  readonly ForceWithoutCrossSigning: boolean;
}

export async function initialise(
  clusterId: string,
  request: Pick<ConfigurationRequest, 'Provider' | 'Config'>,
  context: AuthorityContext,
): Promise<CaResult<CaChange>> {
  const config = decodeFor(request.Provider, request.Config ?? {});
  if (!config.ok) return config;
  if (isKeyMark(config.value.privateKey)) return caErr('config', markProblem);
  const root = await makeRoot(config.value, request.Provider, trustDomainOf(clusterId), context);
  if (!root.ok) return root;
  return ok({
    roots: [
      rootRecord(root.value, { provider: request.Provider, clusterId, leafTtlMs: config.value.leafCertTtlMs }, null),
    ],
    configuration: {
      ClusterID: clusterId,
      Provider: request.Provider,
      Config: withoutSecrets(request.Config ?? {}),
      State: null,
      ForceWithoutCrossSigning: false,
      CreateIndex: 0,
      ModifyIndex: 0,
    },
    providerState: providerStateRecord(providerId(config.value, isPrimary), root.value, context),
  });
}

/** Null: nothing to change. */
export async function reconfigure(
  state: CaState,
  request: ConfigurationRequest,
  context: AuthorityContext,
): Promise<CaResult<CaChange | null>> {
  const { configuration: current, providerState } = state;
  if (current === null || providerState === null) return caErr('not-initialized', 'cluster has no CA bootstrapped yet');
  if (Object.keys(request.State ?? {}).length > 0 && jsonText(request.State) !== jsonText(current.State)) {
    return caErr('config-state', 'Provider State is read-only. It must be omitted or identical to the current value');
  }
  const config = decodeFor(request.Provider, request.Config ?? {});
  if (!config.ok) return config;
  const stored = withoutSecrets(request.Config ?? {});
  if (request.Provider === current.Provider && jsonText(stored) === jsonText(current.Config)) return ok(null);

  const configuration: CaConfigurationRow = {
    ...current,
    Provider: request.Provider,
    Config: stored,
    ForceWithoutCrossSigning: request.ForceWithoutCrossSigning,
  };
  const id = providerId(config.value, isPrimary);
  if (id === providerState.ID) {
    return ok({ roots: withLeafTtl(state.roots, config.value.leafCertTtlMs), configuration, providerState });
  }

  const complete = withPrivateKey(config.value, current, providerState, context.sealKey);
  if (!complete.ok) return complete;
  const root = await makeRoot(complete.value, request.Provider, trustDomainOf(current.ClusterID), context);
  if (!root.ok) return root;
  const roots = await rotate(state, root.value, configuration, config.value.leafCertTtlMs, context);
  return roots.ok
    ? ok({ roots: roots.value, configuration, providerState: providerStateRecord(id, root.value, context) })
    : roots;
}

/** The list of roots with the new one in front of all others, or the old list when the new root is the active one. */
async function rotate(
  state: CaState,
  root: Issuer,
  configuration: CaConfigurationRow,
  leafTtlMs: number,
  context: AuthorityContext,
): Promise<CaResult<readonly CaRoot[]>> {
  const facts = { provider: configuration.Provider, clusterId: configuration.ClusterID, leafTtlMs };
  const { ID } = rootRecord(root, facts, null);
  if (activeRootOf(state)?.ID === ID) return ok(withLeafTtl(state.roots, leafTtlMs));
  let bridge: Certificate | null = null;
  if (!configuration.ForceWithoutCrossSigning) {
    const old = openCrossSigner(state, context.sealKey);
    if (!old.ok) return old;
    if (old.value.certificate.notAfterMs <= context.nowMs) {
      return caErr(
        'cannot-cross-sign',
        'The current root has expired and can sign no successor. Use ForceWithoutCrossSigning.',
      );
    }
    bridge = issued(crossSign(root.certificate, old.value, await context.nextSerial(), context.nowMs));
  }
  const others = state.roots.filter((other) => other.ID !== ID);
  const retired = others.map((other) =>
    other.Active ? { ...other, Active: false, RotatedOutAt: context.nowMs } : other,
  );
  return ok([...retired, rootRecord(root, facts, bridge)]);
}

function openCrossSigner(state: CaState, sealKey: Uint8Array | null): CaResult<Issuer> {
  const old = decodeProviderConfig(state.configuration?.Config ?? {});
  if (old.ok && old.value.disableCrossSigning) {
    return caErr(
      'cannot-cross-sign',
      'The current CA Provider does not support cross-signing. You can try again with ForceWithoutCrossSigningSet but this may cause disruption - see documentation for more.',
    );
  }
  return openIssuer(state, sealKey);
}

/** The active root remembers the longest lifetime it gave: shortening lifetimes shortens no leaf that is out. */
function withLeafTtl(roots: readonly CaRoot[], leafTtlMs: number): readonly CaRoot[] {
  return roots.map((root) => (root.Active ? { ...root, LeafTTLMax: Math.max(root.LeafTTLMax, leafTtlMs) } : root));
}

/** Null: none is due. Leaves of a root are gone two lifetimes after it stopped signing, even on agents that slept. */
export function pruneRoots({ roots, configuration, providerState }: CaState, nowMs: number): CaChange | null {
  if (configuration === null || providerState === null) return null;
  const kept = roots.filter((root) => root.Active || nowMs - root.RotatedOutAt <= 2 * root.LeafTTLMax);
  return kept.length === roots.length ? null : { roots: kept, configuration, providerState };
}

function decodeFor(provider: string, config: ProviderConfig): CaResult<ConsulProviderConfig> {
  if (provider !== builtInProvider) {
    return caErr('provider-unknown', `could not initialize provider: unknown CA provider ${JSON.stringify(provider)}`);
  }
  const decoded = decodeProviderConfig(config);
  return decoded.ok ? decoded : caErr('config', `error configuring provider: ${decoded.error.message}`);
}

const markProblem =
  'error configuring provider: PrivateKey is the mark of a key that is not the current one: give the key itself';

/** Puts the key itself where the request has the mark of the current one. */
function withPrivateKey(
  config: ConsulProviderConfig,
  current: CaConfigurationRow,
  providerState: CaProviderState,
  sealKey: Uint8Array | null,
): CaResult<ConsulProviderConfig> {
  if (!isKeyMark(config.privateKey)) return ok(config);
  const old = decodeProviderConfig(current.Config ?? {});
  if (!old.ok || old.value.privateKey === '' || keyMark(old.value.privateKey) !== config.privateKey) {
    return caErr('config', markProblem);
  }
  const pem = openProviderKey(providerState, sealKey);
  return pem.ok ? ok({ ...config, privateKey: pem.value }) : pem;
}
