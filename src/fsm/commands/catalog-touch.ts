/** Moving the counters of service names: what their readers see has changed. */
import type { WriteTx } from '../contract.ts';
import { serviceCounter } from '../service-index.ts';

export function touchService(tx: WriteTx, name: string): void {
  tx.setCounter(serviceCounter(name), tx.index);
}

/** Moves the counter of every service on a node: its readers see the node and its checks. */
export function touchServicesOfNode(tx: WriteTx, node: string): void {
  for (const service of tx.table('services').range([node])) touchService(tx, service.Service);
}
