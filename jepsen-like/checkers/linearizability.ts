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
  /**
   * Hints that only make the search shorter. `requires`: the one state, as text, in which this operation can have gone as it did.
   * `produces`: the one state that it can lead to. Either is undefined where there is no such one.
   */
  requires?(operation: Operation): string | undefined;
  /** … and the one in which it cannot have gone so. */
  refuses?(operation: Operation): string | undefined;
  produces?(operation: Operation): string | undefined;
}

const text = (value: unknown): string => JSON.stringify(value ?? null);

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
  key: text,
  requires: ({ op, input, output, outcome }) => {
    if (outcome !== 'ok' || op === 'write') return undefined;
    if (op === 'read') return text(output);
    return output === true ? text((input as { from: unknown }).from) : undefined;
  },
  refuses: ({ op, input, output, outcome }) =>
    outcome === 'ok' && op === 'cas' && output === false ? text((input as { from: unknown }).from) : undefined,
  produces: ({ op, input, output, outcome }) => {
    if (op === 'write') return text(input);
    const changes = op === 'cas' && (outcome === 'unknown' || output === true);
    return changes ? text((input as { to: unknown }).to) : undefined;
  },
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
  const likely = witnessed(operations, model);
  if (new Search(likely, model, bounds.statesMax).run() === 'linearizable') {
    return { key, verdict: 'linearizable', operations, evidence: [] };
  }
  const search = new Search(operations, model, bounds.statesMax);
  const verdict = search.run();
  const evidence = verdict === 'violation' ? search.evidence() : [];
  return { key, verdict, operations, evidence };
}

/** The operations that certainly happened, and of the others those whose effect one of these must have met, and so on. */
function witnessed<State>(operations: readonly Operation[], model: Model<State>): readonly Operation[] {
  if (model.requires === undefined || model.produces === undefined) return operations;
  const happened = closure(operations, model, () => true);
  return operations.filter((_, id) => happened.has(id));
}

/** The operations that certainly happened: those that ended so, and whoever alone can have made a state that one of these met. */
function sureOnes<State>(operations: readonly Operation[], model: Model<State>): ReadonlySet<number> {
  const makers = new Map<string, number>();
  for (const operation of operations) {
    const made = model.produces?.(operation);
    if (made !== undefined) makers.set(made, (makers.get(made) ?? 0) + 1);
  }
  const initial = model.key(model.initial);
  return closure(operations, model, (made) => made !== initial && makers.get(made) === 1);
}

/** Those that ended ok, and those of unknown outcome that made a state that one of them met, if `counts` says so of that state. */
function closure<State>(
  operations: readonly Operation[],
  model: Model<State>,
  counts: (made: string) => boolean,
): ReadonlySet<number> {
  const happened = new Set([...operations.keys()].filter((id) => operations[id]!.outcome === 'ok'));
  if (model.requires === undefined) return happened;
  for (let before = -1; before !== happened.size; ) {
    before = happened.size;
    const met = new Set([...happened].map((id) => metBy(model, operations[id]!)));
    for (const [id, operation] of operations.entries()) {
      const made = model.produces?.(operation);
      if (made !== undefined && met.has(made) && counts(made)) happened.add(id);
    }
  }
  return happened;
}

/**
 * Operations that need not have happened and whose effect nobody could tell from another such: nobody met the state that they make, nor
 * was refused because of it. They are alike if they can happen in the same states.
 */
function unseenClasses<State>(
  operations: readonly Operation[],
  model: Model<State>,
  sure: ReadonlySet<number>,
): readonly (string | undefined)[] {
  const told = new Set(operations.flatMap((operation) => [metBy(model, operation), model.refuses?.(operation)]));
  return operations.map((operation, id) => {
    const made = model.produces?.(operation);
    return sure.has(id) || made === undefined || told.has(made) ? undefined : (metBy(model, operation) ?? 'any');
  });
}

/** The state that an operation met if it happened and did something. */
const metBy = <State>(model: Model<State>, operation: Operation): string | undefined =>
  model.requires?.(operation.outcome === 'ok' ? operation : { ...operation, outcome: 'ok', output: true });

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
  /** What must be in the order. */
  readonly #sure: ReadonlySet<number>;
  /** By operation: those of one class differ for nobody, so the first that is open stands for all. Undefined: it is one of a kind. */
  readonly #classes: readonly (string | undefined)[];
  readonly #requires: readonly (string | undefined)[];
  readonly #produces: readonly (string | undefined)[];
  /** How many operations that are not ordered yet require a state, and how many could still produce it. */
  readonly #needs = new Map<string, number>();
  readonly #supply = new Map<string, number>();

  constructor(operations: readonly Operation[], model: Model<State>, statesMax: number) {
    this.#operations = operations;
    this.#model = model;
    this.#statesMax = statesMax;
    this.#sure = sureOnes(operations, model);
    this.#requires = operations.map((operation, id) => (this.#sure.has(id) ? metBy(model, operation) : undefined));
    this.#produces = operations.map((operation) => model.produces?.(operation));
    this.#classes = unseenClasses(operations, model, this.#sure);
    for (const id of operations.keys()) this.#count(id, 1);
  }

  /** An operation is ordered (-1), or no longer (+1). */
  #count(id: number, by: number): void {
    const required = this.#requires[id];
    const produced = this.#produces[id];
    if (required !== undefined) this.#needs.set(required, (this.#needs.get(required) ?? 0) + by);
    if (produced !== undefined) this.#supply.set(produced, (this.#supply.get(produced) ?? 0) + by);
  }

  /** Is one of its class before it in the list, and has been tried? */
  #isStoodFor(head: Node, call: Node): boolean {
    const own = this.#classes[call.id];
    if (own === undefined) return false;
    for (let node = head.next; node !== call && node !== undefined; node = node.next) {
      if (node.match !== undefined && this.#classes[node.id] === own) return true;
    }
    return false;
  }

  /** Having ordered this operation, does the state that it ends still have to come again, though nothing could bring it back? */
  #leavesTooEarly(id: number, before: string, after: string): boolean {
    if (before === after) return false;
    const needs = (this.#needs.get(before) ?? 0) - (this.#requires[id] === before ? 1 : 0);
    return needs > 0 && (this.#supply.get(before) ?? 0) - (this.#produces[id] === before ? 1 : 0) === 0;
  }

  run(): Verdict {
    const head = this.#list();
    const linearized = new Bits(this.#operations.length);
    const seen = new Set<string>();
    const stack: { readonly node: Node; readonly state: State }[] = [];
    let state = this.#model.initial;
    let at = head.next;
    const required = this.#sure.size;
    let completed = 0;
    // An operation of unknown outcome is tried only where nothing else goes on: most of them need never have happened.
    let tryUnknown = false;
    while (completed < required) {
      if (at?.match !== undefined) {
        const operation = this.#operations[at.id]!;
        const next = this.#sure.has(at.id) !== tryUnknown ? this.#model.step(state, operation) : undefined;
        // What need not have happened, and would change nothing or no more than another has been seen to, is left out.
        if (next !== undefined && tryUnknown && (Object.is(next, state) || this.#isStoodFor(head, at))) {
          at = at.next;
          continue;
        }
        linearized.set(at.id);
        const after = next === undefined ? '' : this.#model.key(next);
        const key = `${linearized.text()}|${after}`;
        if (next !== undefined && !this.#leavesTooEarly(at.id, this.#model.key(state), after) && !seen.has(key)) {
          if (seen.size >= this.#statesMax) return 'undecided';
          seen.add(key);
          stack.push({ node: at, state });
          state = next;
          if (this.#sure.has(at.id)) completed++;
          this.#count(at.id, -1);
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
      this.#count(top.node.id, 1);
      tryUnknown = !this.#sure.has(top.node.id);
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
