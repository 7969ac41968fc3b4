/** The manager's view of the server it runs in: its own state, and commands of its own through the log. */
import type { Backend, Caller } from '../../api/backend.ts';
import { type ReadTx, readCa } from '../../fsm/index.ts';
import type { CaServer } from './ca-manager.ts';

/** `view` is this server's state now, with secrets: it is read here and goes nowhere. */
export function caServerOn(backend: Pick<Backend, 'apply' | 'datacenter'>, view: () => ReadTx): CaServer {
  const caller: Caller = { token: '', address: '', call: 'leader/ca', datacenter: '' };
  return {
    datacenter: backend.datacenter,
    read: () => readCa(view()),
    write: async ({ roots, configuration, providerState }, { rootsIndex, configurationIndex }) => {
      const args = {
        Roots: roots,
        Configuration: configuration,
        ProviderState: providerState,
        RootsIndex: rootsIndex,
        ConfigurationIndex: configurationIndex,
      };
      await backend.apply('ca.set', args, caller);
    },
    nextSerial: () => backend.apply('ca.nextSerial', {}, caller),
  };
}
