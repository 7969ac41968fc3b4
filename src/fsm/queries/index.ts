/** Every query by name. Add yours here. */
import { kvGet } from './kv.ts';

export const queries = {
  'kv.get': kvGet,
} as const;

export type Queries = typeof queries;
export type QueryName = keyof Queries;
export type QueryArgs<N extends QueryName> = Parameters<Queries[N]['run']>[1];
export type QueryValue<N extends QueryName> = ReturnType<Queries[N]['run']>['value'];
