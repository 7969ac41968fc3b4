/** Records: one schema each. Rooms import from here. */
export * from './ca.ts';
export * from './catalog.ts';
export * from './catalog-requests.ts';
export * from './config-entry.ts';
export { decodeConfigEntry, invalidKind } from './config-entry-decode.ts';
export { configEntryFault, configEntryKey, normalizeConfigEntry } from './config-entry-rules.ts';
export { errorList } from './error-list.ts';
export * from './intention.ts';
export { intentionIdFault, legacyIntentionFault } from './intention-rules.ts';
export * from './intention-source.ts';
export * from './kv.ts';
export * from './operator.ts';
export * from './origin.ts';
export * as s from './schema.ts';
export { type DecodeOptions, decode, encode, type Infer, jsonText, quote, type Schema, snakeCase } from './schema.ts';
export * from './service-definition.ts';
export * from './service-rules.ts';
export * from './txn.ts';
