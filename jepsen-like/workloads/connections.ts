/**
 * New connections, and bytes on an open one, from `web` to `db` through real sidecars on two hosts, while one client flips the
 * intention between them by way of different servers and another asks the destination's agent how current it is.
 *
 *     flipper     check-and-sets of the config entry; then waits, as an operator may, until the agent has it
 *     dialers     a new connection each time
 *     holder      one open connection, words on it; a new one when it was cut
 *     observer    is the agent's state current?
 */
import { type Contact, checkEnforcement, type EnforcementBounds } from '../checkers/enforcement.ts';
import type { CheckResult, History, Operation } from '../history.ts';
import type { WorkloadClient } from '../real/client.ts';
import { destination, type MeshHosts, source } from '../real/hosts.ts';
import { pause, type Workload, type WorkloadContext } from './workload.ts';

/** What docs/intentions.md promises, with room for a machine that is busy. */
const bounds: EnforcementBounds = {
  quietMs: 2_000,
  settleMs: 15_000,
  returnMs: 60_000,
  declaredMs: 20_000,
  wakeMs: 1_000,
};

const seenWithinMs = 3_000;
const entryPath = `/v1/config/service-intentions/${destination}`;

export const connections: Workload = {
  name: 'connections',
  promise:
    'after a deny is acknowledged, sidecars carry no new connection and cut open ones: soon if their agent is in contact; else it says so',
  clients: 5,
  acknowledges: ['set', 'seen', 'connect', 'say', 'contact'],
  hosts: true,
  async client(client, index, context) {
    const hosts = context.hosts!;
    if (index === 0) return flip(client, hosts, context);
    if (index === 1) return observe(hosts, context);
    if (index === 2) return hold(hosts, index, context);
    return dial(hosts, index, context);
  },
  final: (_, { hosts }) => Promise.resolve([...hosts!.heard]),
  check: (history, final, { faults }) => judge(history, new Set(final as string[]), faults),
};

async function flip(client: WorkloadClient, hosts: MeshHosts, { over, chance }: WorkloadContext): Promise<void> {
  for (let allow = false; !over(); ) {
    const index = await entryIndex(client);
    if (index === undefined) {
      await pause(100);
      continue;
    }
    const Sources = [{ Name: source, Action: allow ? 'allow' : 'deny' }];
    const body = JSON.stringify({ Kind: 'service-intentions', Name: destination, Sources });
    const set = await client.operate(
      'set',
      'pair',
      allow,
      { method: 'PUT', path: `/v1/config?cas=${index}`, body },
      (reply) => (reply.body.trim() === 'true' ? { outcome: 'ok' } : { outcome: 'fail' }),
    );
    client.goOn();
    if (set.outcome === 'ok') {
      await see(hosts, client, allow);
      await pause((allow ? 200 : 300) + chance() * (allow ? 1_000 : 3_500));
      allow = !allow;
    } else await pause(50);
  }
}

/** ModifyIndex of the entry, 0 while there is none; undefined: no server could say. */
async function entryIndex(client: WorkloadClient): Promise<number | undefined> {
  const read = await client.operate(
    'index',
    'pair',
    null,
    { method: 'GET', path: `${entryPath}?consistent` },
    (reply) => {
      if (reply.status === 404) return { outcome: 'ok', output: 0 };
      return { outcome: 'ok', output: (JSON.parse(reply.body) as { ModifyIndex: number }).ModifyIndex };
    },
  );
  return read.outcome === 'ok' ? (read.output as number) : undefined;
}

/** Waits until the destination's agent has what was just acknowledged: a blocking read of what its sidecar watches too. */
async function see(hosts: MeshHosts, client: WorkloadClient, allow: boolean): Promise<void> {
  const { history } = client;
  const changed = history.of('set', 'ok').at(-1)!;
  const index = await entryIndex(client);
  if (index === undefined) return;
  const path = `/v1/connect/intentions/match?by=destination&name=${destination}&index=${index - 1}&wait=${seenWithinMs}ms`;
  const startMs = history.nowMs();
  const seen = await hosts
    .ask(path, seenWithinMs + 500)
    .then(async (answer) => {
      await answer.text();
      return answer.status === 200 && Number(answer.headers.get('x-consul-index')) >= index;
    })
    .catch(() => false);
  note(history, {
    client: client.id,
    op: 'seen',
    input: allow,
    output: changed.endMs,
    outcome: seen ? 'ok' : 'fail',
    startMs,
  });
}

async function observe(hosts: MeshHosts, { history, over }: WorkloadContext): Promise<void> {
  while (!over()) {
    const startMs = history.nowMs();
    const stale = await hosts
      .ask('/v1/agent/self', 1_000)
      .then(async (answer) => {
        const { Stats } = (await answer.json()) as { Stats: { client: { topics_stale: string } } };
        return Number(Stats.client.topics_stale);
      })
      .catch(() => undefined);
    const outcome = stale === undefined ? 'fail' : 'ok';
    note(history, { client: 1, op: 'contact', input: null, output: stale ?? null, outcome, startMs });
    await pause(200);
  }
}

async function dial(hosts: MeshHosts, index: number, { history, over }: WorkloadContext): Promise<void> {
  for (let n = 0; !over(); n++) {
    const text = `${index}-${n}`;
    const startMs = history.nowMs();
    const outcome = await hosts.attempt(text);
    noteAttempt(history, index, 'connect', text, outcome, startMs);
    await pause(20);
  }
}

async function hold(hosts: MeshHosts, index: number, { history, over }: WorkloadContext): Promise<void> {
  for (let n = 0; !over(); n++) {
    let startMs = history.nowMs();
    const connection = await hosts.open(`${index}-${n}`);
    noteAttempt(
      history,
      index,
      'connect',
      `${index}-${n}`,
      typeof connection === 'string' ? connection : 'carried',
      startMs,
    );
    if (typeof connection === 'string') {
      await pause(50);
      continue;
    }
    for (let word = 0; !over(); word++) {
      await pause(30);
      startMs = history.nowMs();
      const text = `${index}-${n}-${word}`;
      const outcome = await connection.say(text);
      noteAttempt(history, index, 'say', text, outcome, startMs);
      if (outcome !== 'carried') break;
    }
    connection.end();
  }
}

function noteAttempt(
  history: History,
  client: number,
  op: 'connect' | 'say',
  text: string,
  outcome: 'carried' | 'refused' | 'unknown',
  startMs: number,
): void {
  const known = outcome === 'carried' ? 'ok' : outcome === 'refused' ? 'fail' : 'unknown';
  note(history, { client, op, input: text, output: outcome, outcome: known, startMs });
}

function note(history: History, more: Omit<Operation, 'server' | 'key' | 'endMs'>): void {
  history.add({ server: -1, key: 'pair', endMs: history.nowMs(), ...more });
}

/** `heard`: what reached the application, though its client may have had no answer. */
function judge(history: History, heard: ReadonlySet<string>, faults: WorkloadContext['faults']): CheckResult {
  const attempts = [...history.of('connect'), ...history.of('say')]
    // One that had no answer and was not heard shows neither.
    .filter(({ outcome, input }) => outcome !== 'unknown' || heard.has(String(input)))
    .map(({ op, outcome, input, startMs, endMs }) => ({
      carried: outcome === 'ok' || heard.has(String(input)),
      what: op === 'connect' ? ('connection' as const) : ('bytes on an open connection' as const),
      startMs,
      endMs,
    }))
    // The end of an open connection is told by the first word that it does not carry: that is no refusal of its own.
    .filter(({ what, carried }) => what === 'connection' || carried);
  const found = checkEnforcement(
    {
      changes: history
        .of('set')
        .map(({ input, outcome, startMs, endMs }) => ({ allow: input as boolean, outcome, startMs, endMs })),
      attempts,
      contacts: history.of('contact').map(contactOf),
      sightings: history.of('seen', 'ok').map(({ output, endMs }) => ({ changedMs: output as number, atMs: endMs })),
      disturbances: faults.map(({ startMs, endMs, onHost }) => ({ startMs, endMs, onHost })),
    },
    bounds,
  );
  const violations = [...found.violations];
  if (found.refused === 0 || found.carried === 0)
    violations.push(`${found.carried} attempts were carried and ${found.refused} refused: the run shows nothing`);
  const all = [...found.quietDelays, ...found.disturbedDelays];
  const summary = `${history.of('set', 'ok').length} changes, ${found.carried} carried while allowed, ${found.refused} refused while denied; ${all.length} denies, the last connection carried began at most ${Math.round(Math.max(0, ...found.quietDelays))} ms after the answer in quiet, ${Math.round(Math.max(0, ...found.disturbedDelays))} ms under faults`;
  return {
    valid: violations.length === 0,
    summary: violations.length === 0 ? summary : `${violations.length} violations: ${violations[0]}`,
    violations,
    figures: [
      { name: 'deny acknowledged → start of the last connection carried, in quiet', ms: found.quietDelays },
      { name: 'deny acknowledged → start of the last connection carried, under faults', ms: found.disturbedDelays },
      {
        name: 'change acknowledged → the destination’s agent has it',
        ms: history.of('seen', 'ok').map(({ output, endMs }) => endMs - (output as number)),
      },
    ],
  };
}

function contactOf({ output, outcome, startMs, endMs }: Operation): Contact {
  return { says: outcome !== 'ok' ? 'nothing' : output === 0 ? 'current' : 'stale', startMs, endMs };
}
