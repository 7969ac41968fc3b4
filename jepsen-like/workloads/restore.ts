/**
 * The whole state is saved and brought back while others write, read and watch: what is there afterwards is what was saved, and
 * nothing of between, at every server, and who waits for news hears of it. All of the state goes back, so this workload runs alone.
 *
 * A save and its restore are operations of one linearizable object, as the reads and writes are. Each round has keys of its own:
 *
 *     round 7:   write x=1 ── save ── write x=2 ── restore ── read x=1
 *                             └ a restore of an earlier round of which nobody knows the outcome: none of the keys is there
 */
import { checkLinearizability, type Model } from '../checkers/linearizability.ts';
import type { CheckResult, Fault, Operation } from '../history.ts';
import type { Reply, Verdict, WorkloadClient } from '../real/client.ts';
import { readThree, type Three, textOf, writeSome } from './three-keys.ts';
import { pause, type Workload, type WorkloadContext } from './workload.ts';

const waitMs = 3_000;
const wakeMs = 1_500;
const settleMs = 10_000;

interface State {
  readonly now: Three;
  readonly saved: Three | undefined;
}

const model: Model<State> = {
  initial: { now: {}, saved: undefined },
  step(state, { op, input, output, outcome }) {
    if (op === 'save') return { ...state, saved: state.now };
    if (op === 'restore') return { ...state, now: state.saved ?? {} };
    if (op === 'restoreOld') return { ...state, now: {} };
    if (outcome === 'ok' && textOf(output as Three) !== textOf(state.now)) return undefined;
    return input === null ? state : { ...state, now: { ...state.now, ...(input as Three) } };
  },
  key: ({ now, saved }) => `${textOf(now)}${saved === undefined ? '' : textOf(saved)}`,
};

export const restore: Workload = {
  name: 'restore',
  promise: 'a restored snapshot is the state of its saving, at once and everywhere, and wakes who watches',
  clients: 4,
  alone: true,
  acknowledges: ['read', 'write', 'save', 'restore', 'watch'],
  async client(client, index, context) {
    const { over, chance, history } = context;
    if (index === 0) return saveAndRestore(client, context);
    for (let n = 0; !over(); n++) {
      const folder = folderOf(context);
      if (index === 1) await watch(client, folder);
      else if (chance() < 0.4) await readThree(client, folder, context);
      else await writeSome(client, folder, `${index}-${n}`, context);
      await pause(10);
      if (history.operations.at(-1)?.outcome !== 'ok') await pause(50);
    }
  },
  check: ({ operations }, _, { faults }) => judge(operations, faults),
};

/** Of this round: as many rounds have begun as saves. */
const folderOf = ({ run, history }: WorkloadContext): string => `${run}/${Math.floor(roundsOf(history.operations))}/`;

/** Rounds that are over. */
const roundsOf = (operations: readonly Operation[]): number => operations.filter(({ op }) => op === 'round').length;

async function saveAndRestore(client: WorkloadClient, context: WorkloadContext): Promise<void> {
  const { over, chance, history } = context;
  while (!over()) {
    const folder = folderOf(context);
    await pause(100 + chance() * 300);
    let archive: Uint8Array<ArrayBuffer> | undefined;
    const save = { method: 'GET', path: '/v1/snapshot' };
    const saved = await client.operate('save', folder, null, save, ({ status, bytes }) => {
      archive = bytes;
      return { outcome: status === 200 ? 'ok' : 'fail' };
    });
    if (saved.outcome === 'ok') {
      await pause(100 + chance() * 300);
      const request = { method: 'PUT', path: '/v1/snapshot', body: archive! };
      await client.operate('restore', folder, null, request, ({ status }) => ({
        outcome: status === 200 ? 'ok' : 'unknown',
      }));
      await pause(100 + chance() * 300);
    }
    client.goOn();
    const atMs = history.nowMs();
    history.add({
      ...{ client: client.id, server: -1, op: 'round', key: folder, input: null, output: null, outcome: 'ok' },
      ...{ startMs: atMs, endMs: atMs },
    });
  }
}

/** Lists, and waits once for news. */
async function watch(client: WorkloadClient, folder: string): Promise<void> {
  const told = ({ headers }: Reply): Verdict => ({ outcome: 'ok', output: Number(headers.get('x-consul-index')) });
  const path = `/v1/kv/${folder}nobody-writes-this?recurse`;
  const seen = await client.operate('list', folder, null, { method: 'GET', path }, told);
  if (seen.outcome !== 'ok') return;
  const waiting = `${path}&index=${String(seen.output)}&wait=${waitMs}ms`;
  await client.operate('watch', folder, null, { method: 'GET', path: waiting }, told);
}

function judge(operations: readonly Operation[], faults: readonly Fault[]): CheckResult {
  const asked = operations.filter(({ op }) => ['read', 'write', 'save', 'restore'].includes(op));
  const lost = asked.filter(({ op, outcome }) => op === 'restore' && outcome === 'unknown');
  const folders = [...new Set(asked.map(({ key }) => key))];
  // One of unknown outcome may still happen in any later round.
  const late = lost.flatMap((each) =>
    folders.slice(folders.indexOf(each.key) + 1).map((key) => ({ ...each, op: 'restoreOld', key })),
  );
  const found = checkLinearizability([...asked, ...late], model as Model<unknown>);
  const slept = operations
    .filter(({ op, outcome }) => op === 'watch' && outcome === 'ok')
    .flatMap(sleptOn(asked, faults));
  const restores = asked.filter(({ op, outcome }) => op === 'restore' && outcome === 'ok').length;
  return {
    valid: found.valid && slept.length === 0,
    summary: found.valid
      ? (slept[0] ?? `${restores} restores among ${asked.length} operations, linearizable`)
      : found.summary,
    violations: [...found.violations, ...slept],
  };
}

/** A watch that was waiting when the state was replaced, while no fault was in, and was not woken by it. */
const sleptOn =
  (asked: readonly Operation[], faults: readonly Fault[]) =>
  ({ startMs, endMs, server }: Operation): string[] => {
    const disturbed = faults.some((fault) => fault.startMs <= endMs && fault.endMs + settleMs >= startMs);
    const replaced = asked.find(
      (each) => each.op === 'restore' && each.outcome === 'ok' && each.startMs > startMs && each.endMs + wakeMs < endMs,
    );
    if (disturbed || replaced === undefined) return [];
    return [
      `a watch at server ${server} slept on for ${Math.round(endMs - replaced.endMs)} ms after a restore at ${replaced.endMs.toFixed(0)} ms`,
    ];
  };
