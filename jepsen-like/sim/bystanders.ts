/**
 * What else happens in a mesh, beside the clients' registers, where Heddle's own state machine is replicated: hosts, services and their
 * proxies, checks, sessions, locks, intentions, configuration, serial numbers.
 */
import { type CommandArgs, type CommandName, Refusal } from '../../src/fsm/index.ts';
import { RaftError } from '../../src/raft/index.ts';
import type { Random } from '../../src/std/random.ts';
import { decode, decodeConfigEntry, registerRequest } from '../../src/structs/index.ts';
import { carry } from './door.ts';
import { nodes, services } from './every-query.ts';
import type { SimServer } from './server.ts';
import type { World } from './world.ts';

type Put = <N extends CommandName>(name: N, args: CommandArgs<N>) => Promise<unknown>;
type Act = (world: World, random: Random, put: Put) => Promise<unknown>;

const nodeName = (random: Random): string => random.pick(nodes);
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

function registration(body: object): CommandArgs<'catalog.register'> {
  const decoded = decode(registerRequest, body, { naming: 'api', unknown: 'refuse' });
  if (!decoded.ok) throw new TypeError(decoded.error);
  return { ...decoded.value, Datacenter: 'dc1' };
}

/** A service on a host, or the proxy of one; the names meet, so that they come and go under each other. */
function instance(random: Random): object {
  const name = random.pick(services);
  const plain = {
    ID: `${name}-${random.int(1, 2)}`,
    Service: name,
    Port: 80,
    Tags: random.pick([[], ['new'], ['old']]),
  };
  if (!random.chance(0.4)) return plain;
  const proxied = { DestinationServiceName: random.pick(services) };
  return {
    ...plain,
    ID: `${name}-proxy`,
    Service: random.pick(['proxies', name]),
    Kind: 'connect-proxy',
    Proxy: proxied,
  };
}

/** What came later: drawn apart, and in some runs only, so that older seeds keep what they found. */
const laterActs: readonly Act[] = [
  (_world, random, put) => {
    const Node = nodeName(random);
    const Service = random.chance(0.8) ? instance(random) : undefined;
    const Status = random.pick(['passing', 'passing', 'critical']);
    const check = { Node, CheckID: random.pick(['serfHealth', 'alive']), Status };
    return put(
      'catalog.register',
      registration({
        ...{ Node, Address: `10.0.0.${random.int(1, 9)}`, NodeMeta: random.pick([null, { rack: 'r1' }]) },
        ...(Service === undefined ? {} : { Service }),
        Checks: random.chance(0.5) ? [check] : [],
      }),
    );
  },
  (_world, random, put) => {
    const ServiceID = `${random.pick(services)}-${random.pick(['1', '2', 'proxy'])}`;
    const CheckID = random.chance(0.3) ? 'alive' : '';
    return put('catalog.deregister', {
      ...{ Datacenter: '', Node: nodeName(random) },
      ...(CheckID === '' ? { ServiceID, CheckID } : { ServiceID: '', CheckID }),
    });
  },
  (_world, random, put) => {
    const Name = random.pick(services);
    const entry = decodeConfigEntry({ Kind: 'service-defaults', Name, Protocol: random.pick(['tcp', 'http']) });
    if (!entry.ok) throw new TypeError(entry.error);
    return random.chance(0.7)
      ? put('configEntry.set', { Entry: entry.value })
      : put('configEntry.delete', { Kind: 'service-defaults', Name });
  },
  (_world, random, put) => put('kv.delete', { Key: `k1/${random.pick(['note', 'other'])}` }),
];

/** Beside a write now and then something else, of which nobody waits for the answer. */
export function bystand(server: SimServer, random: Random): void {
  if (!random.chance(0.4)) return;
  const { world } = server;
  const id = world.nextCommand();
  happen(server, id, random.pick(acts), random);
  if (!world.meshIsBusy) return;
  const more = world.random.stream(`later act/${id}`);
  happen(server, world.nextCommand(), more.pick(laterActs), more);
}

function happen(server: SimServer, id: number, act: Act, random: Random): void {
  const { world } = server;
  const put: Put = async (name, args) => {
    const { index, result } = await carry(server, { id, key: '', value: id }, name, args);
    // A lock that is under its delay is refused without an entry.
    if (index > 0) world.acknowledged(id, index);
    world.mark(`command: ${name}`);
    return result;
  };
  act(world, random, put).catch((error: unknown) => {
    // Refused by the state, or by Raft: both are answers. Anything else is a defect.
    if (error instanceof Refusal) world.mark('command: refused');
    else if (!(error instanceof RaftError)) world.judges.fail('no-server-stops', `a command failed: ${String(error)}`);
  });
}
