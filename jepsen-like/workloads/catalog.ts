/**
 * Services come and go at agents, each known by the agent of its host, which tells the catalog. Whatever happened to messages and
 * servers: in the end the catalog says of each host what its agent says, no service too much and none too little, and an agent
 * that was killed still knows what it had acknowledged.
 */
import type { Fault, Operation } from '../history.ts';
import type { WorkloadClient } from '../real/client.ts';
import { pause, verdictOf, type Workload } from './workload.ts';

const servicesEach = 4;
/** A full comparison each minute finds what a push has missed; one that fails is tried again after 15 s. */
const settledMs = 90_000;
const seenMs = 3_000;
/** They take the agent's own data away as well. */
const wiping = ['membership', 'rolling-membership'];

/** Ports by service, of what an agent or the catalog says of a host. */
type Services = Readonly<Record<string, number>>;

interface Host {
  readonly server: number;
  readonly agent: Services;
  readonly catalog: Services;
}

export const catalog: Workload = {
  name: 'catalog',
  promise:
    'in the end the catalog says of each host what its agent says, and an agent forgets nothing that it acknowledged',
  clients: 3,
  acknowledges: ['register', 'deregister', 'seen'],
  async client(client, index, { run, over, chance, history }) {
    const server = index % client.servers;
    for (let n = 0; !over(); n++) {
      const ID = `${run}-${index}-${Math.floor(chance() * servicesEach)}`;
      await pause(60);
      if (chance() < 0.35) {
        const path = `/v1/agent/service/deregister/${ID}`;
        await client.operate('deregister', ID, null, { method: 'PUT', path, at: server }, ({ status }) => ({
          // There is nothing of that name: so it was before, and is.
          outcome: status === 200 || status === 404 ? 'ok' : 'fail',
        }));
        continue;
      }
      const Port = 1 + n;
      const body = JSON.stringify({ ID, Name: ID, Port });
      const path = '/v1/agent/service/register';
      const made = await client.operate(
        'register',
        ID,
        Port,
        { method: 'PUT', path, body, at: server },
        ({ status }) => ({
          outcome: status === 200 ? 'ok' : 'fail',
        }),
      );
      if (made.outcome !== 'ok') continue;
      const acknowledgedMs = history.nowMs();
      await sees(client, ID, Port, acknowledgedMs, () => over() || history.nowMs() > acknowledgedMs + seenMs);
    }
  },
  final(client, { run }) {
    const servers = Array.from({ length: client.servers }, (_, server) => server);
    return Promise.all(servers.map((server) => settled(client, server, run)));
  },
  check(history, final, { faults }) {
    const hosts = final as readonly Host[];
    const violations = [
      ...hosts.flatMap(differences),
      ...(wereWiped(faults) ? [] : forgotten(hosts, [...history.of('register'), ...history.of('deregister')])),
    ];
    const seen = history.of('seen', 'ok').map(({ output, endMs }) => endMs - (output as number));
    return {
      ...verdictOf(
        violations,
        `${history.of('register', 'ok').length} registrations, ${history.of('deregister', 'ok').length} ends, ${hosts.length} hosts as their agents say`,
      ),
      figures: [{ name: 'service registered at an agent → another server’s catalog has it', ms: seen }],
    };
  },
};

const wereWiped = (faults: readonly Fault[]): boolean => faults.some(({ nemesis }) => wiping.includes(nemesis));

/** Asks for the service at other doors until it is there, or the time is over. */
async function sees(
  client: WorkloadClient,
  ID: string,
  port: number,
  acknowledgedMs: number,
  isOver: () => boolean,
): Promise<void> {
  for (;;) {
    client.goOn();
    const path = `/v1/catalog/service/${ID}`;
    const seen = await client.operate('seen', ID, port, { method: 'GET', path }, ({ body }) => {
      const [found] = JSON.parse(body) as { ServicePort: number }[];
      return found?.ServicePort === port ? { outcome: 'ok', output: acknowledgedMs } : { outcome: 'fail' };
    });
    if (seen.outcome === 'ok' || isOver()) return;
    await pause(50);
  }
}

/** Until both say the same, or the time for that is over. */
async function settled(client: WorkloadClient, server: number, run: string): Promise<Host> {
  const end = performance.now() + settledMs;
  for (;;) {
    const told = JSON.parse(await client.plain('GET', '/v1/agent/services', undefined, server)) as Listed;
    const node = await client.plain('GET', `/v1/catalog/node/s${server}?consistent`);
    const known = (JSON.parse(node) as { Services: Listed } | null)?.Services ?? {};
    const host = { server, agent: portsOf(told, run), catalog: portsOf(known, run) };
    if (differences(host).length === 0 || performance.now() > end) return host;
    await pause(500);
  }
}

type Listed = Readonly<Record<string, { readonly Port: number }>>;

const portsOf = (services: Listed, run: string): Services =>
  Object.fromEntries(
    Object.entries(services)
      .filter(([id]) => id.startsWith(`${run}-`))
      .map(([id, { Port }]) => [id, Port]),
  );

function differences({ server, agent, catalog: known }: Host): string[] {
  const ids = [...new Set([...Object.keys(agent), ...Object.keys(known)])];
  return ids
    .filter((id) => agent[id] !== known[id])
    .map(
      (id) => `${id} of server ${server}: its agent says ${portText(agent[id])}, the catalog ${portText(known[id])}`,
    );
}

/** A client is alone with its services: the last thing acknowledged holds, or one of unknown outcome, which may come at any time. */
function forgotten(hosts: readonly Host[], operations: readonly Operation[]): string[] {
  const inOrder = [...operations].sort((a, b) => a.startMs - b.startMs);
  const portOf = ({ input }: Operation): number | undefined => (input as number | null) ?? undefined;
  return [...new Set(inOrder.map(({ key }) => key))].flatMap((key) => {
    const own = inOrder.filter((each) => each.key === key);
    const last = own.findLast(({ outcome }) => outcome === 'ok');
    const { agent, server } = hosts.find((host) => own[0]!.server === host.server)!;
    const possible = own.filter((each) => each === last || each.outcome === 'unknown').map(portOf);
    if (last === undefined) possible.push(undefined);
    return possible.includes(agent[key])
      ? []
      : [
          `${key}: the agent of server ${server} says ${portText(agent[key])}, and acknowledged ${possible.map(portText).join(' or ')}`,
        ];
  });
}

const portText = (port: number | undefined): string => (port === undefined ? 'nothing' : `port ${port}`);
