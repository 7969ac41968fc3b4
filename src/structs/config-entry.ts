/**
 * Config entries: central configuration by kind and name. A kind's schema is its JSON; what makes one valid is in
 * `config-entry-rules.ts`. Names are kept as written and found without letter case.
 */
import {
  bool,
  duration,
  field,
  type Infer,
  index,
  int,
  json,
  list,
  map,
  nullable,
  omitEmpty,
  record,
  type Schema,
  string,
} from './schema/index.ts';

const serviceIntentionsKind = 'service-intentions';
const serviceDefaultsKind = 'service-defaults';
const proxyDefaultsKind = 'proxy-defaults';

/** Every kind there is a place for, in the order of names; reads of those not in `configEntrySchemas` find nothing. */
export const configEntryKinds: readonly string[] = [
  'ingress-gateway',
  'mesh',
  'proxy-defaults',
  'service-defaults',
  'service-intentions',
  'service-resolver',
  'service-router',
  'service-splitter',
  'terminating-gateway',
];

/** proxy-defaults has one entry, of this name whatever was asked. */
export const proxyDefaultsName = 'global';

/** A kind's own name, as a type of its own. */
function kind<K extends string>(name: K): Schema<K> {
  return { ...string(), zero: () => name, read: () => name } as unknown as Schema<K>;
}

/** A value that may be absent, where a zero is something else than nothing. */
function optional<T>(inner: Schema<T>): Schema<T | null> {
  const schema = nullable(inner);
  return { ...schema, isEmpty: (value) => value === null };
}

const common = {
  Meta: omitEmpty(map(string())),
  CreateIndex: index(),
  ModifyIndex: index(),
};

const meshGateway = record('MeshGatewayConfig', { Mode: omitEmpty(string()) });
const transparentProxy = record('TransparentProxyConfig', {
  OutboundListenerPort: omitEmpty(int()),
  DialedDirectly: omitEmpty(bool()),
});
const expose = record('ExposeConfig', {
  Checks: omitEmpty(bool()),
  Paths: omitEmpty(
    list(
      record('ExposePath', {
        ListenerPort: omitEmpty(int()),
        Path: omitEmpty(string()),
        LocalPathPort: omitEmpty(int()),
        Protocol: omitEmpty(string()),
        ParsedFromCheck: omitEmpty(bool()),
      }),
    ),
  ),
});

// ---------------------------------------------------------------- service-intentions

const intentionHeader = record('IntentionHTTPHeaderPermission', {
  Name: string(),
  Present: omitEmpty(bool()),
  Exact: omitEmpty(string()),
  Prefix: omitEmpty(string()),
  Suffix: omitEmpty(string()),
  Regex: omitEmpty(string()),
  Invert: omitEmpty(bool()),
});
export type IntentionHeader = Infer<typeof intentionHeader>;

const intentionHttp = record('IntentionHTTPPermission', {
  PathExact: omitEmpty(string()),
  PathPrefix: omitEmpty(string()),
  PathRegex: omitEmpty(string()),
  Header: omitEmpty(list(intentionHeader)),
  Methods: omitEmpty(list(string())),
});
export type IntentionHttp = Infer<typeof intentionHttp>;

/** Evaluated in order by layer-7 proxies; the first that matches a request decides it. */
export const intentionPermission = record('IntentionPermission', {
  Action: string(),
  HTTP: omitEmpty(optional(intentionHttp)),
});
export type IntentionPermission = Infer<typeof intentionPermission>;

/**
 * One source of a destination's intentions. "Legacy" ones were made by the older per-pair API and carry an id and times;
 * the others have none of the Legacy fields.
 */
const intentionSource = record('SourceIntention', {
  Name: string(),
  Action: omitEmpty(string()),
  Permissions: omitEmpty(list(intentionPermission)),
  /** Computed; what is sent in is overwritten. */
  Precedence: int(),
  LegacyID: omitEmpty(string()),
  Type: string(),
  Description: omitEmpty(string()),
  LegacyMeta: omitEmpty(map(string())),
  /** RFC 3339, UTC. */
  LegacyCreateTime: omitEmpty(string()),
  LegacyUpdateTime: omitEmpty(string()),
});
export type IntentionSource = Infer<typeof intentionSource>;

const serviceIntentions = record('ServiceIntentionsConfigEntry', {
  Kind: kind(serviceIntentionsKind),
  /** The destination; `*` for all. */
  Name: string(),
  Sources: list(intentionSource),
  ...common,
});
export type ServiceIntentions = Infer<typeof serviceIntentions>;

// ---------------------------------------------------------------- service-defaults

const upstreamLimits = record('UpstreamLimits', {
  MaxConnections: omitEmpty(optional(int())),
  MaxPendingRequests: omitEmpty(optional(int())),
  MaxConcurrentRequests: omitEmpty(optional(int())),
});
export type UpstreamLimits = Infer<typeof upstreamLimits>;

const passiveHealthCheck = record('PassiveHealthCheck', {
  /** Nanoseconds, printed as a number. */
  Interval: omitEmpty(duration('number')),
  MaxFailures: omitEmpty(int()),
});

const upstreamConfig = record('UpstreamConfig', {
  Name: omitEmpty(string()),
  EnvoyListenerJSON: omitEmpty(string()),
  EnvoyClusterJSON: omitEmpty(string()),
  Protocol: omitEmpty(string()),
  ConnectTimeoutMs: omitEmpty(int()),
  Limits: omitEmpty(optional(upstreamLimits)),
  PassiveHealthCheck: omitEmpty(optional(passiveHealthCheck)),
  MeshGateway: field(meshGateway, {}),
});
export type UpstreamConfig = Infer<typeof upstreamConfig>;

const serviceDefaults = record('ServiceConfigEntry', {
  Kind: kind(serviceDefaultsKind),
  Name: string(),
  /** Lower case. An entry with an empty one means tcp and hides that of proxy-defaults. */
  Protocol: string(),
  Mode: omitEmpty(string()),
  TransparentProxy: transparentProxy,
  MeshGateway: meshGateway,
  Expose: expose,
  ExternalSNI: omitEmpty(string()),
  UpstreamConfig: omitEmpty(
    optional(
      record('UpstreamConfiguration', {
        Overrides: omitEmpty(list(upstreamConfig)),
        Defaults: omitEmpty(optional(upstreamConfig)),
      }),
    ),
  ),
  ...common,
});
export type ServiceDefaults = Infer<typeof serviceDefaults>;

// ---------------------------------------------------------------- proxy-defaults

const proxyDefaults = record('ProxyConfigEntry', {
  Kind: kind(proxyDefaultsKind),
  Name: string(),
  /** Opaque; keys as written. Printed also when absent, as null. */
  Config: map(json()),
  Mode: omitEmpty(string()),
  TransparentProxy: transparentProxy,
  MeshGateway: meshGateway,
  Expose: expose,
  ...common,
});
export type ProxyDefaults = Infer<typeof proxyDefaults>;

export type ConfigEntry = ServiceIntentions | ServiceDefaults | ProxyDefaults;

/** The kinds that can be written. */
export const configEntrySchemas: { readonly [K in ConfigEntry['Kind']]: Schema<Extract<ConfigEntry, { Kind: K }>> } = {
  'service-intentions': serviceIntentions,
  'service-defaults': serviceDefaults,
  'proxy-defaults': proxyDefaults,
};

export function configEntrySchema(kindName: string): Schema<ConfigEntry> | undefined {
  if (!Object.hasOwn(configEntrySchemas, kindName)) return undefined;
  return configEntrySchemas[kindName as ConfigEntry['Kind']] as unknown as Schema<ConfigEntry>;
}

export function encodeConfigEntry(entry: ConfigEntry): string {
  return (configEntrySchemas[entry.Kind] as unknown as Schema<ConfigEntry>).text(entry);
}
