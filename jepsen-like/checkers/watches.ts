/**
 * Did watchers hear of everything, in order, and only of what is? Judges answers about one set of keys, each with the index that it
 * names, by the changes that clients were told had happened. Every change is a check-and-set, so an acknowledged one says which
 * version of its key is gone: whoever asks afterwards and is shown that version was told of the past.
 *
 *     index names     the state: the same index, the same keys. What one answer shows at 7 is in every answer that names 7 or more
 *     a later answer  never names a lower index, and shows no version that was replaced before it was asked for
 *     a watch         answers when something changed, soon if nothing disturbs, or when its time is over
 */
import type { Fault, Operation, Outcome } from '../history.ts';

/** A key as an answer shows it. */
export interface Version {
  readonly key: string;
  readonly value: string;
  readonly index: number;
}

export interface WatchAnswer {
  readonly client: number;
  readonly server: number;
  /** Undefined for a read that does not wait. */
  readonly asked: number | undefined;
  readonly index: number;
  readonly versions: readonly Version[];
  readonly startMs: number;
  readonly endMs: number;
}

/** A check-and-set, of which `value` undefined deletes. */
export interface KeyChange {
  readonly key: string;
  readonly value: string | undefined;
  /** Index of the version that it replaces; 0: there was none. */
  readonly replaces: number;
  readonly outcome: Outcome;
  readonly startMs: number;
  readonly endMs: number;
}

export interface WatchBounds {
  /** How long a watch was told to wait, ms. */
  readonly waitMs: number;
  /** From an acknowledgement to the answer of a watch that waits for it, while nothing disturbs, ms. */
  readonly wakeMs: number;
  /** How long after the end of a fault it still disturbs, ms. */
  readonly settleMs: number;
}

export interface WatchFindings {
  readonly violations: readonly string[];
  /** From the acknowledgement of a change to the answer that a watch gave for it, ms, where no fault was in. */
  readonly wakesMs: readonly number[];
}

type Disturbance = Pick<Fault, 'startMs' | 'endMs'>;

export function checkWatches(
  answers: readonly WatchAnswer[],
  changes: readonly KeyChange[],
  disturbances: readonly Disturbance[],
  bounds: WatchBounds,
): WatchFindings {
  const inOrder = [...answers].sort((a, b) => a.startMs - b.startMs);
  const watches = inOrder.filter(({ asked }) => asked !== undefined);
  const acknowledged = changes.filter(({ outcome }) => outcome === 'ok');
  const isQuiet = ({ startMs, endMs }: WatchAnswer): boolean =>
    disturbances.every((each) => each.startMs > endMs || each.endMs + bounds.settleMs < startMs);
  const found = watches.filter(isQuiet).map((watch) => wakeOf(watch, acknowledged, bounds));
  return {
    violations: [
      ...namesWrong(inOrder),
      ...goesBack(inOrder),
      ...showsReplaced(inOrder, acknowledged),
      ...showsRefused(inOrder, changes),
      ...watches.flatMap((watch) => tooEarly(watch, bounds)),
      ...found.flatMap(({ violation }) => violation ?? []),
    ],
    wakesMs: found.flatMap(({ wakeMs }) => wakeMs ?? []),
  };
}

/** The same index names the same state, and nothing that is newer; a version that one answer shows is in all that name so much. */
function namesWrong(answers: readonly WatchAnswer[]): string[] {
  const violations: string[] = [];
  const states = new Map<number, string>();
  for (const answer of answers) {
    const newer = answer.versions.find(({ index }) => index > answer.index);
    if (newer !== undefined) violations.push(`${said(answer)} shows ${newer.key} at ${newer.index}`);
    const state = JSON.stringify(answer.versions);
    const before = states.get(answer.index);
    if (before !== undefined && before !== state) violations.push(`${said(answer)} shows another state than before`);
    states.set(answer.index, state);
  }
  return [...violations, ...missesVersion(answers)];
}

/** By rising index: an answer that names as much as another, and shows an older version of a key, has missed a change. */
function missesVersion(answers: readonly WatchAnswer[]): string[] {
  const newest = new Map<string, Version>();
  const byIndex = [...answers].sort((a, b) => a.index - b.index);
  return byIndex.flatMap((answer) =>
    answer.versions.flatMap((version) => {
      const known = newest.get(version.key);
      if (known !== undefined && version.index < known.index)
        return [`${said(answer)} shows ${version.key} at ${version.index}, which was at ${known.index} before`];
      if (known !== undefined && version.index === known.index && version.value !== known.value)
        return [`${said(answer)} shows ${version.key} at ${version.index} with another value`];
      newest.set(version.key, version);
      return [];
    }),
  );
}

/** What a client is told never goes back, whichever server it asks. */
function goesBack(answers: readonly WatchAnswer[]): string[] {
  const last = new Map<number, WatchAnswer>();
  return answers.flatMap((answer) => {
    const before = last.get(answer.client);
    last.set(answer.client, answer);
    return before !== undefined && answer.index < before.index ? [`${said(answer)} after ${before.index}`] : [];
  });
}

/** A version that was replaced before the question came is shown to nobody. */
function showsReplaced(answers: readonly WatchAnswer[], acknowledged: readonly KeyChange[]): string[] {
  const inOrder = [...acknowledged].sort((a, b) => a.endMs - b.endMs);
  const gone = new Map<string, number>();
  let at = 0;
  return answers.flatMap((answer) => {
    for (; at < inOrder.length && inOrder[at]!.endMs < answer.startMs; at++) {
      const { key, replaces } = inOrder[at]!;
      gone.set(key, Math.max(gone.get(key) ?? 0, replaces));
    }
    return answer.versions
      .filter(({ key, index }) => index <= (gone.get(key) ?? 0))
      .map(({ key, index }) => `${said(answer)} shows ${key} at ${index}, which was replaced before it was asked`);
  });
}

/** A value whose check-and-set was refused is seen by nobody. */
function showsRefused(answers: readonly WatchAnswer[], changes: readonly KeyChange[]): string[] {
  const refused = new Set(changes.flatMap(({ outcome, value }) => (outcome === 'fail' && value ? [value] : [])));
  return answers.flatMap((answer) =>
    answer.versions
      .filter(({ value }) => refused.has(value))
      .map(({ key, value }) => `${said(answer)} shows ${key} as ${value}, which was refused`),
  );
}

/** Timers may fire a little early. */
const slackMs = 20;

function tooEarly(watch: WatchAnswer, { waitMs }: WatchBounds): string[] {
  const tookMs = watch.endMs - watch.startMs;
  const isNews = watch.index !== watch.asked;
  return isNews || tookMs >= waitMs - slackMs ? [] : [`${said(watch)} after ${Math.round(tookMs)} ms, with no news`];
}

/** A change that happened while a watch waited: when was it told? */
function wakeOf(
  watch: WatchAnswer,
  acknowledged: readonly KeyChange[],
  { wakeMs }: WatchBounds,
): { violation?: string; wakeMs?: number } {
  const during = acknowledged.filter(({ startMs, endMs }) => startMs > watch.startMs && endMs < watch.endMs);
  const first = during.reduce<KeyChange | undefined>(
    (a, b) => (a === undefined || b.endMs < a.endMs ? b : a),
    undefined,
  );
  if (first === undefined) return {};
  const lateMs = watch.endMs - first.endMs;
  if (lateMs <= wakeMs) return { wakeMs: lateMs };
  return { violation: `${said(watch)} ${Math.round(lateMs)} ms after ${first.key} had changed`, wakeMs: lateMs };
}

const said = ({ client, server, asked, index, startMs }: WatchAnswer): string =>
  `client ${client} at ${startMs.toFixed(0)} ms: server ${server} answered ${index}${asked === undefined ? '' : ` to a watch from ${asked}`}`;

/** An operation that told a state, as the judge wants it. */
export function answerOf({ client, server, input, output, startMs, endMs }: Operation): WatchAnswer {
  const told = output as Pick<WatchAnswer, 'index' | 'versions'>;
  return { client, server, asked: (input as number | null) ?? undefined, ...told, startMs, endMs };
}
