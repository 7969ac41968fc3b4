/**
 * Arguments from another process: a command that throws while it is applied would stop every server, so what is malformed
 * must be refused before it is in the log. Every command is listed or internal; mangled arguments are refused or harmless.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CommandName,
  checkArguments,
  commands,
  encodeEnvelope,
  externalCommands,
  type LeaderContext,
  MemoryStorage,
  Refusal,
  Settled,
  Store,
} from '../../../src/fsm/index.ts';
import { anyCommand } from '../random-commands.ts';
import { Bench, ManualClock } from '../support.ts';

it('every command is either for others too, or internal', () => {
  for (const [name, command] of Object.entries(commands)) {
    expect({ name, external: externalCommands.includes(name) }).toEqual({ name, external: !('internal' in command) });
  }
});

it('internal commands are refused from outside, whatever their arguments', () => {
  for (const name of ['ca.set', 'snapshot.takeOver', 'tombstone.reap', 'toString', 'no.such']) {
    expect(() => checkArguments(name, {})).toThrow(new Refusal('denied', `${name} is for the leader's own duties`));
  }
});

it.each([
  ['kv.set', null, 'the value must not be null'],
  ['kv.set', {}, 'Key must be string'],
  ['kv.set', { Key: 'a', Value: 'text', Flags: 0 }, 'Value must be []uint8'],
  ['kv.set', { Key: 'a', Value: null, Flags: -1 }, 'Flags must be uint64'],
  ['kv.cas', { Key: 'a', Value: null, Flags: 0, Index: 1.5 }, 'Index must be uint64'],
  ['txn', { Ops: [null] }, 'Ops[0] must not be null'],
  ['txn', { Ops: [{ KV: { Verb: 1 }, Node: null, Service: null, Check: null }] }, 'Ops[0].KV.Verb must be string'],
  ['configEntry.set', { Entry: { Kind: 'weird' } }, 'Entry is of no known kind'],
  ['configEntry.delete', { Kind: 'mesh', Name: 'mesh', Cas: '1' }, 'Cas must be uint64'],
])('%s %j: %s', (name, args, problem) => {
  expect(() => checkArguments(name, args)).toThrow(
    new Refusal('invalid', `malformed arguments of ${name}: ${problem}`),
  );
});

describe('property', () => {
  const rubbish = fc.oneof(
    fc.constantFrom<unknown>(null, undefined, '', 'x', 0, -1, 1.5, Number.NaN, true, [], {}, [null], 2n ** 70n),
    fc.constant(new Uint8Array([1])),
  );

  /** Puts something else at one place inside of a value. */
  function mangle(value: unknown, path: readonly number[], other: unknown): unknown {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return other;
    const keys = Object.keys(value);
    const [step, ...rest] = path;
    if (step === undefined || keys.length === 0) return other;
    const key = keys[step % keys.length]!;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = mangle(copy[key], rest, other);
    return copy;
  }

  it('arguments mangled anywhere are refused, or prepared and applied without a throw', () => {
    const path = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 4 });
    const leader: LeaderContext = new Bench().leader();
    fc.assert(
      fc.property(fc.array(fc.tuple(anyCommand, path, rubbish), { maxLength: 8 }), (mangled) => {
        const store = new Store(new MemoryStorage(), { clock: new ManualClock(), defer: () => undefined });
        let index = 0;
        for (const [{ name, args }, where, other] of mangled) {
          const bad = mangle(args, where, other);
          try {
            checkArguments(name, bad);
            const prepared = prepare(name, bad, leader);
            if (!(prepared instanceof Settled)) store.apply([{ index: ++index, data: entry(name, prepared) }]);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

function prepare(name: CommandName, args: unknown, leader: LeaderContext): unknown {
  const command = commands[name] as { prepare?(args: unknown, leader: LeaderContext): unknown };
  return command.prepare === undefined ? args : command.prepare(args, leader);
}

const origin = { accessor: '', agent: 'test', address: '', call: 'test', timeMs: 0 };
const entry = (name: string, args: unknown): Uint8Array => encodeEnvelope({ name, version: 1, origin, args });
