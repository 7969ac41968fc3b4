/** The words that records are described in. */
export * from './containers.ts';
export { jsonText, quote } from './json-text.ts';
export * from './records.ts';
export * from './scalars.ts';
export { type DecodeOptions, decode, encode, type Field, type Infer, type Schema } from './schema.ts';
