/**
 * Takes the next serial number of the datacenter's certificates. A number is given once, whatever becomes of the certificate
 * it was taken for. The first is the index of the entry that asks for it: never zero.
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
    const Serial = last === undefined ? tx.index : last.Serial + 1;
    singletons.put([caSerialKey], { Serial });
    return { Serial, Index: tx.index };
  },
});
