/**
 * Takes the next serial number of the datacenter's certificates. A number is given once, whatever becomes of the certificate
 * it was taken for. It is never below the index of the entry that asks: so none is given again after a restore took the
 * counter back, when certificates of the time between are still out there.
 */
import { command } from '../contract.ts';
import { caSerialKey } from './ca-state.ts';

export interface CaSerial {
  readonly Serial: number;
  /** Index of the entry that gave it: create and modify index of the leaf it is for. */
  readonly Index: number;
}

export const caNextSerial = command<Record<string, never>, CaSerial>({
  name: 'ca.nextSerial',
  version: 1,
  internal: true,
  apply(tx) {
    const singletons = tx.table('singletons');
    const last = singletons.get([caSerialKey]) as { readonly Serial: number } | undefined;
    const Serial = Math.max(tx.index, (last?.Serial ?? 0) + 1);
    singletons.put([caSerialKey], { Serial });
    return { Serial, Index: tx.index };
  },
});
