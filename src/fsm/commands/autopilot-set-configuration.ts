/** Stores autopilot's configuration. With `Cas`, only if the stored ModifyIndex is that (0: only if absent). */
import type { AutopilotConfiguration } from '../../structs/index.ts';
import { command } from '../contract.ts';

export interface AutopilotSetConfiguration {
  readonly Config: Omit<AutopilotConfiguration, 'CreateIndex' | 'ModifyIndex'>;
  readonly Cas?: number;
}

export const autopilotKey = 'autopilot';

/** False when check-and-set lost. */
export const autopilotSetConfiguration = command<AutopilotSetConfiguration, boolean>({
  name: 'autopilot.setConfiguration',
  version: 1,
  apply(tx, { Config, Cas }) {
    const singletons = tx.table('singletons');
    const before = singletons.get([autopilotKey]) as AutopilotConfiguration | undefined;
    if (Cas !== undefined && (before?.ModifyIndex ?? 0) !== Cas) return false;
    const row = { ...Config, CreateIndex: before?.CreateIndex ?? tx.index, ModifyIndex: tx.index };
    singletons.put([autopilotKey], row);
    return true;
  },
});
