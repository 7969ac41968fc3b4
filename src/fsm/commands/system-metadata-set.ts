/** Records a fact about the cluster itself (which formats it has moved to, when it was founded). */
import { command } from '../contract.ts';

export interface SystemMetadata {
  readonly Key: string;
  readonly Value: string;
}

export const systemMetadataSet = command<SystemMetadata, boolean>({
  name: 'systemMetadata.set',
  version: 1,
  internal: true,
  apply(tx, { Key, Value }) {
    const singletons = tx.table('singletons');
    const key = [`system/${Key}`];
    if ((singletons.get(key) as SystemMetadata | undefined)?.Value === Value) return true;
    singletons.put(key, { Key, Value });
    return true;
  },
});
