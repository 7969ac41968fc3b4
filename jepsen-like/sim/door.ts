/**
 * How a client's write reaches a server: into its log as it is, where registers are replicated, or through Heddle's own commands. Those
 * write the same registers as keys, by themselves and in transactions, and everything else that a control plane keeps beside them.
 */
import { type CommandArgs, type CommandName, Refusal } from '../../src/fsm/index.ts';
import { type Raft, RaftError } from '../../src/raft/index.ts';
import type { Random } from '../../src/std/random.ts';
import { bytesOf } from './heddle-state.ts';
import { type Command, encodeCommand } from './machine.ts';
import type { SimServer } from './server.ts';
import type { CommandResult } from './state.ts';
import type { World } from './world.ts';

export interface Written {
  readonly index: number;
  readonly applied: boolean;
}

export async function propose(server: SimServer, command: Command): Promise<Written> {
  if (server.heddle === undefined) {
    const { index, result } = await server.raft!.propose(encodeCommand(command));
    return { index, applied: (result as CommandResult).applied };
  }
  const content = { Key: command.key, Value: bytesOf(command.value, command.padding), Flags: 0 };
  if (command.expect !== undefined) {
    const Index = server.heddle.modifyIndex(command.key);
    const { index, result } = await carry(server, command, 'kv.cas', { ...content, Index });
    return { index, applied: result as boolean };
  }
  // As an operator would: a key and what belongs to it, together or not at all.
  if (command.value % 4 === 0) {
    const KV = { ...content, Verb: 'set', Index: 0, Session: '', Namespace: '' };
    const Note = { ...KV, Key: `${command.key}/note`, Flags: command.value };
    const none = { Node: null, Service: null, Check: null };
    const { index } = await carry(server, command, 'txn', {
      Ops: [
        { KV, ...none },
        { KV: Note, ...none },
      ],
    });
    return { index, applied: true };
  }
  const { index } = await carry(server, command, 'kv.set', content);
  return { index, applied: true };
}

async function carry<N extends CommandName>(
  server: SimServer,
  command: Command,
  name: N,
  args: CommandArgs<N>,
): Promise<{ readonly index: number; readonly result: unknown }> {
  let index = 0;
  const send = async (envelope: string): ReturnType<Raft['propose']> => {
    const proposed = await server.raft!.propose(encodeCommand({ ...command, envelope }));
    index = proposed.index;
    return proposed;
  };
  const random = server.world.random.stream(`uuid/${command.id}`);
  const result = await server.heddle!.propose(name, args, { id: server.id, random, send });
  return { index, result };
}

type Put = <N extends CommandName>(name: N, args: CommandArgs<N>) => Promise<unknown>;
type Act = (world: World, random: Random, put: Put) => Promise<unknown>;

const nodeName = (random: Random): string => `host-${random.int(1, 4)}`;
const source = (random: Random): string => random.pick(['web', '*']);
const destination = (random: Random): string => random.pick(['db', 'cache']);
const noSession = '0'.repeat(36);
const anySession = ({ sessions }: World, random: Random): string =>
  sessions.length > 0 ? random.pick(sessions) : noSession;

/** What else happens in a mesh. */
const acts: readonly Act[] = [
  (_world, random, put) =>
    put('catalog.register', {
      ...{ Datacenter: '', ID: '', Node: nodeName(random), Address: `10.0.0.${random.int(1, 9)}` },
      ...{ TaggedAddresses: null, NodeMeta: null, SkipNodeUpdate: false, Service: null, Check: null, Checks: null },
    }),
  (_world, random, put) =>
    put('catalog.deregister', { Datacenter: '', Node: nodeName(random), ServiceID: '', CheckID: '' }),
  async (world, random, put) => {
    const ID = await put('session.create', {
      ...{ ID: '', Name: 'lock', Node: nodeName(random), LockDelay: 0, TTL: '' },
      ...{ Behavior: random.pick(['release', 'delete']), Checks: [], NodeChecks: [], ServiceChecks: [] },
    });
    world.sessions.push(ID as string);
  },
  (world, random, put) => put('session.destroy', { ID: anySession(world, random) }),
  (world, random, put) => {
    const lock = { Key: `lock/${random.int(1, 2)}`, Value: null, Flags: 0 };
    return put(random.pick(['kv.acquire', 'kv.acquire', 'kv.release']), {
      ...lock,
      Session: anySession(world, random),
    });
  },
  (_world, _random, put) => put('kv.deleteTree', { Prefix: 'lock/' }),
  (_world, random, put) =>
    put('intention.upsert', {
      ...{ Source: source(random), Destination: destination(random), Action: random.pick(['allow', 'deny']) },
      ...{ Permissions: null, Description: '', Type: 'consul', Meta: null },
    }),
  (_world, random, put) => put('intention.deleteExact', { Source: source(random), Destination: destination(random) }),
  async (world, _random, put) => {
    const { Serial } = (await put('ca.nextSerial', {})) as { readonly Serial: number };
    world.serialGiven(Serial);
  },
];

/** Beside a write now and then something else, of which nobody waits for the answer. */
export function bystand(server: SimServer, random: Random): void {
  if (!random.chance(0.4)) return;
  const { world } = server;
  const id = world.nextCommand();
  const put: Put = async (name, args) => {
    const { index, result } = await carry(server, { id, key: '', value: id }, name, args);
    // A lock that is under its delay is refused without an entry.
    if (index > 0) world.acknowledged(id, index);
    world.mark(`command: ${name}`);
    return result;
  };
  random
    .pick(acts)(world, random, put)
    .catch((error: unknown) => {
      // Refused by the state, or by Raft: both are answers. Anything else is a defect.
      if (error instanceof Refusal) world.mark('command: refused');
      else if (!(error instanceof RaftError))
        world.judges.fail('no-server-stops', `a command failed: ${String(error)}`);
    });
}
