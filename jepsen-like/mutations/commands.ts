/** Planted bugs of the state machine: commands of Heddle's own that go wrong. They run where the real state is replicated. */
import { type Command, commands } from '../../src/fsm/index.ts';
import type { Applicable } from '../../src/fsm/store.ts';
import { changed } from './changed.ts';
import type { Mutation } from './mutation.ts';

const { 'kv.set': set, 'kv.cas': cas, 'ca.nextSerial': nextSerial, 'catalog.deregister': deregister } = commands;

/** All commands, one of them applied otherwise. */
const withCommand = <Args>(command: Command<Args, unknown>, apply: Command<Args, unknown>['apply']) => ({
  ...commands,
  [command.name]: { ...command, apply } as unknown as Applicable,
});

export const commandMutations: readonly Mutation[] = [
  {
    name: 'a command looks at the clock of the server that applies it',
    source: 'V04, design decision 4',
    commands: ({ clock }) =>
      withCommand(set, (tx, args, context) => set.apply(tx, { ...args, Flags: clock.open().wallMs() }, context)),
  },
  {
    name: 'a key that is written keeps the index of its creation',
    source: 'blocking queries',
    commands: () =>
      withCommand(set, (tx, args, context) => {
        const result = set.apply(tx, args, context);
        const row = tx.table('kv').get([args.Key]);
        if (row !== undefined) tx.table('kv').put([args.Key], { ...row, ModifyIndex: row.CreateIndex });
        return result;
      }),
  },
  {
    name: 'the last instance of a service goes without a word to its readers',
    source: 'C08, blocking queries',
    commands: () =>
      withCommand(deregister, (tx, args, context) => {
        const setCounter: typeof tx.setCounter = (name, index) => {
          if (name !== 'service_last_extinction') tx.setCounter(name, index);
        };
        return deregister.apply(changed(tx, { setCounter }), args, context);
      }),
  },
  {
    name: 'a compare-and-set overwrites whatever is there',
    source: 'Consul KV: ?cas',
    commands: () => withCommand(cas, (tx, args, context) => set.apply(tx, args, context)),
  },
  {
    name: 'a serial number is not noted as given',
    source: 'RFC 5280 §4.1.2.2',
    commands: () => withCommand(nextSerial, (tx) => ({ Serial: Math.ceil(tx.index / 20) * 20, Index: tx.index })),
  },
];
