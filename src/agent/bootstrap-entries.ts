/**
 * Config entries of the agent's own configuration (`config_entries.bootstrap`): a leader writes those that are absent, once,
 * and never touches those that are there: from then on they belong to whoever changes them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../fsm/index.ts';
import { assert } from '../std/assert.ts';
import { readBootstrapEntry } from './config/index.ts';
import type { Logger } from './log.ts';
import type { ExtraDuty, Server } from './server/index.ts';

const retryMs = 2_000;
const caller = { token: '', address: '', call: 'leader/bootstrap-entries', datacenter: '' };

/** `entries` were validated with the rest of the configuration. */
export function bootstrapEntries(
  server: Pick<Server, 'apply'>,
  entries: readonly Readonly<Record<string, unknown>>[],
  log: Logger,
): ExtraDuty {
  let stopped = new AbortController();
  return {
    name: 'bootstrap config entries',
    async start() {
      stopped = new AbortController();
      const { signal } = stopped;
      for (const entry of entries) await writeWhileLeading(server, entry, log, signal);
    },
    stop: () => stopped.abort(),
  };
}

async function writeWhileLeading(
  server: Pick<Server, 'apply'>,
  entry: Readonly<Record<string, unknown>>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const read = readBootstrapEntry(entry);
  assert(read.ok, 'bootstrap entries were validated');
  const fields = { kind: read.value.Kind, name: read.value.Name };
  while (!signal.aborted) {
    try {
      // A check-and-set on 0 writes only what is absent; an entry that is there is left as it is.
      const written = await server.apply('configEntry.set', { Entry: read.value, Cas: 0 }, caller);
      log.debug('config entry of the configuration', { ...fields, written });
      return;
    } catch (error) {
      log.warn('a config entry of the configuration was not written', { ...fields, error: String(error) });
      // What the state refuses it refuses again; anything else may pass.
      if (error instanceof Refusal) return;
      await delay(retryMs, undefined, { ref: false });
    }
  }
}
