/**
 * Is there an order of the operations, each at some moment between its start and its end, that a plain sequential object would have
 * answered in the same way? (Herlihy and Wing 1990; the search is that of Wing and Gong with Lowe's memory of visited states.)
 *
 * Keys are independent objects, so each is checked alone (locality), which keeps the search small. An operation of unknown outcome
 * may take effect at any time after its start, or never. The search is bounded; a check that ran out says so and is no pass.
 */
import type { CheckResult, Operation } from '../history.ts';

export interface Model<State> {
  readonly initial: State;
  /** Undefined: the object in this state would not have answered so. */
  step(state: State, operation: Operation): State | undefined;
  /** Equal states give equal texts. */
  key(state: State): string;
}

/** A register with write, read, cas ({ from, to } -> applied?). null is "never written". */
export const registerModel: Model<unknown> = {
  initial: null,
  step: (state, { op, input, output, outcome }) => {
    if (op === 'write') return input;
    if (op === 'read') return Object.is(state, output ?? null) ? state : undefined;
    const { from, to } = input as { from: unknown; to: unknown };
    const applies = Object.is(state, from);
    if (outcome === 'ok' && output !== applies) return undefined;
    return applies ? to : state;
  },
  key: (state) => JSON.stringify(state ?? null),
};

export type Verdict = 'linearizable' | 'violation' | 'undecided';

export interface KeyVerdict {
  readonly key: string;
  readonly verdict: Verdict;
  readonly operations: readonly Operation[];
  /** For a violation: the longest run of operations that could be ordered, and those that then could not go on. */
  readonly evidence: readonly string[];
}

export interface Bounds {
  /** Most states visited for one key. */
  readonly statesMax: number;
}

export function checkKey<State>(
  key: string,
  all: readonly Operation[],
  model: Model<State>,
  bounds: Bounds = { statesMax: 2_000_000 },
): KeyVerdict {
  // What certainly did not happen, and reads that told nothing, say nothing.
  const operations = all.filter(({ outcome, op }) => outcome === 'ok' || (outcome === 'unknown' && op !== 'read'));
  // Most operations of unknown outcome that nobody saw the effect of did not happen: try that first. An order without them is an order.
  const seen = observed(operations);
  const likely = operations.filter(({ outcome, input }) => outcome === 'ok' || seen.has(effect(input)));
  if (new Search(likely, model, bounds.statesMax).run() === 'linearizable') {
    return { key, verdict: 'linearizable', operations, evidence: [] };
  }
  const search = new Search(operations, model, bounds.statesMax);
  const verdict = search.run();
  const evidence = verdict === 'violation' ? search.evidence() : [];
  return { key, verdict, operations, evidence };
}

/** What an operation leaves behind, as text. */
const effect = (input: unknown): string =>
  JSON.stringify(typeof input === 'object' && input !== null && 'to' in input ? input.to : input);

/** Every value that some operation read, or expected and found. */
function observed(operations: readonly Operation[]): ReadonlySet<string> {
  const values = new Set<string>();
  for (const { op, output, input, outcome } of operations) {
    if (op === 'read') values.add(JSON.stringify(output ?? null));
    else if (op === 'cas' && (outcome === 'unknown' || output === true)) {
      values.add(JSON.stringify((input as { from: unknown }).from));
    }
  }
  return values;
}

/** Checks every key of a history; fails on the first kind of trouble, and on an undecided key. */
export function checkLinearizability(
  operations: readonly Operation[],
  model: Model<unknown> = registerModel,
  bounds?: Bounds,
): CheckResult {
  const byKey = new Map<string, Operation[]>();
  for (const operation of operations) {
    const list = byKey.get(operation.key);
    if (list === undefined) byKey.set(operation.key, [operation]);
    else list.push(operation);
  }
  const verdicts = [...byKey].map(([key, list]) => checkKey(key, list, model, bounds));
  const bad = verdicts.filter(({ verdict }) => verdict !== 'linearizable');
  return {
    valid: bad.length === 0,
    summary:
      bad.length === 0
        ? `${operations.length} operations on ${byKey.size} keys are linearizable`
        : bad.map(({ key, verdict }) => `key ${key}: ${verdict}`).join('; '),
    violations: bad.flatMap(({ key, evidence }) => evidence.map((line) => `${key}: ${line}`)),
  };
}

/** An event of the history in a doubly linked list: a call, and its return further on. */
interface Node {
  readonly id: number;
  readonly match: Node | undefined;
  previous: Node | undefined;
  next: Node | undefined;
}

class Search<State> {
  readonly #operations: readonly Operation[];
  readonly #model: Model<State>;
  readonly #statesMax: number;
  #best: number[] = [];
  #stuck: number[] = [];

  constructor(operations: readonly Operation[], model: Model<State>, statesMax: number) {
    this.#operations = operations;
    this.#model = model;
    this.#statesMax = statesMax;
  }

  run(): Verdict {
    const head = this.#list();
    const linearized = new Bits(this.#operations.length);
    const seen = new Set<string>();
    const stack: { readonly node: Node; readonly state: State }[] = [];
    let state = this.#model.initial;
    let at = head.next;
    const required = this.#operations.filter(({ outcome }) => outcome === 'ok').length;
    let completed = 0;
    // An operation of unknown outcome is tried only where nothing else goes on: most of them need never have happened.
    let tryUnknown = false;
    while (completed < required) {
      if (at?.match !== undefined) {
        const operation = this.#operations[at.id]!;
        const next = (operation.outcome === 'unknown') === tryUnknown ? this.#model.step(state, operation) : undefined;
        linearized.set(at.id);
        const key = next === undefined ? '' : `${linearized.text()}|${this.#model.key(next)}`;
        if (next !== undefined && !seen.has(key)) {
          if (seen.size >= this.#statesMax) return 'undecided';
          seen.add(key);
          stack.push({ node: at, state });
          state = next;
          if (operation.outcome === 'ok') completed++;
          lift(at);
          at = head.next;
          tryUnknown = false;
          continue;
        }
        linearized.clear(at.id);
        at = at.next;
        continue;
      }
      // A return that nothing before it can explain, or the end.
      if (!tryUnknown) {
        tryUnknown = true;
        at = head.next;
        continue;
      }
      if (stack.length >= this.#best.length) {
        this.#best = stack.map(({ node }) => node.id);
        this.#stuck = open(head);
      }
      // Take back the newest choice.
      const top = stack.pop();
      if (top === undefined) return 'violation';
      ({ state } = top);
      linearized.clear(top.node.id);
      tryUnknown = this.#operations[top.node.id]!.outcome === 'unknown';
      if (!tryUnknown) completed--;
      unlift(top.node);
      at = top.node.next;
    }
    return 'linearizable';
  }

  evidence(): string[] {
    const describe = (id: number): string => {
      const { client, op, input, output, outcome, startMs, endMs } = this.#operations[id]!;
      const end = outcome === 'unknown' ? '…' : endMs.toFixed(3);
      return `[${startMs.toFixed(3)}, ${end}] client ${client} ${op} ${JSON.stringify(input ?? null)} -> ${outcome === 'ok' ? JSON.stringify(output ?? null) : outcome}`;
    };
    return [
      ...this.#best.slice(-8).map((id) => `ordered   ${describe(id)}`),
      ...this.#stuck.slice(0, 8).map((id) => `cannot follow ${describe(id)}`),
    ];
  }

  #list(): Node {
    const events = this.#operations.flatMap((operation, id) => {
      const endMs = operation.outcome === 'unknown' ? Number.POSITIVE_INFINITY : operation.endMs;
      return [
        { id, atMs: operation.startMs, isCall: true },
        { id, atMs: endMs, isCall: false },
      ];
    });
    // At one instant calls come first: operations that touch are concurrent.
    events.sort((a, b) => a.atMs - b.atMs || Number(b.isCall) - Number(a.isCall) || a.id - b.id);
    const head: Node = { id: -1, match: undefined, previous: undefined, next: undefined };
    const returns = new Map<number, Node>();
    let last = head;
    const nodes = events.map(({ id, isCall }) => ({ id, isCall }));
    for (const { id, isCall } of nodes) {
      if (!isCall) continue;
      returns.set(id, { id, match: undefined, previous: undefined, next: undefined });
    }
    for (const { id, isCall } of nodes) {
      const node: Node = isCall
        ? { id, match: returns.get(id)!, previous: undefined, next: undefined }
        : returns.get(id)!;
      node.previous = last;
      last.next = node;
      last = node;
    }
    return head;
  }
}

/** Takes a call and its return out of the list. */
function lift(call: Node): void {
  for (const node of [call, call.match!]) {
    if (node.previous !== undefined) node.previous.next = node.next;
    if (node.next !== undefined) node.next.previous = node.previous;
  }
}

/** Puts them back, in the opposite order. */
function unlift(call: Node): void {
  for (const node of [call.match!, call]) {
    if (node.previous !== undefined) node.previous.next = node;
    if (node.next !== undefined) node.next.previous = node;
  }
}

/** Calls that are open where the search is stuck: up to the first return. */
function open(head: Node): number[] {
  const ids: number[] = [];
  for (let node = head.next; node !== undefined; node = node.next) {
    ids.push(node.id);
    if (node.match === undefined) break;
  }
  return [...new Set(ids)];
}

class Bits {
  readonly #words: Uint16Array;

  constructor(size: number) {
    this.#words = new Uint16Array(Math.ceil(size / 16) || 1);
  }

  set(at: number): void {
    this.#words[at >> 4]! |= 1 << (at & 15);
  }

  clear(at: number): void {
    this.#words[at >> 4]! &= ~(1 << (at & 15));
  }

  text(): string {
    return String.fromCharCode(...this.#words);
  }
}
