/** Autopilot's configuration; null before a leader stored the first one. */
import type { AutopilotConfiguration } from '../../structs/index.ts';
import { autopilotKey } from '../commands/autopilot-set-configuration.ts';
import { query } from '../contract.ts';

export const autopilotConfiguration = query<Record<string, never>, AutopilotConfiguration | null>({
  name: 'autopilot.configuration',
  run(tx) {
    const stored = tx.table('singletons').get([autopilotKey]) as AutopilotConfiguration | undefined;
    return { index: stored?.ModifyIndex ?? 0, value: stored ?? null };
  },
});
