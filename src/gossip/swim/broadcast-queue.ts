/**
 * The queue of what is to be told to everybody (SWIM §4.1). A message rides on packets that leave anyway, at most
 * retransmitMult × ceil(log10(n + 1)) times; infection spreads the rest of the way. The least told go first; among
 * equals the longest that still fits, then the newest.
 */
interface Item {
  readonly message: Uint8Array;
  /** A message about the same subject replaces an older one; undefined never replaces. */
  readonly subject: string | undefined;
  readonly token: string | undefined;
  readonly sequence: number;
  transmits: number;
}

/** Packets carry at most this many broadcasts, well within what a compound can count. */
const partsMax = 100;

export class BroadcastQueue {
  private readonly retransmitMult: number;
  private readonly members: () => number;
  private readonly finished: (token: string) => void;
  /** Sorted: see `before`. */
  private readonly items: Item[] = [];
  private readonly subjects = new Map<string, Item>();
  private sequence = 0;
  /** No message is shorter: once that does not fit, nothing does. Begins anew whenever the queue ran empty. */
  private shortestBytes = Number.POSITIVE_INFINITY;

  /** `finished` is told the token of a message that was sent often enough, was replaced or pruned. */
  constructor(retransmitMult: number, members: () => number, finished: (token: string) => void) {
    this.retransmitMult = retransmitMult;
    this.members = members;
    this.finished = finished;
  }

  get length(): number {
    return this.items.length;
  }

  get transmitLimit(): number {
    return transmitLimit(this.retransmitMult, this.members());
  }

  add(message: Uint8Array, options: { subject?: string; token?: string } = {}): void {
    const { subject, token } = options;
    if (subject !== undefined) {
      const older = this.subjects.get(subject);
      if (older !== undefined) this.remove(older);
    }
    const item: Item = { message, subject, token, sequence: this.sequence++, transmits: 0 };
    this.insert(item);
    if (subject !== undefined) this.subjects.set(subject, item);
  }

  /** Messages for one packet of `bytes` free bytes, each costing `overhead` more than its length. */
  drain(bytes: number, overhead: number, partsFree: number = partsMax): Uint8Array[] {
    const { items } = this;
    const taken: Item[] = [];
    /** How many of those looked at before the first that did not fit: in most packets all. */
    let inFront = 0;
    let free = bytes;
    for (let at = 0; at < items.length; at++) {
      if (free < overhead + this.shortestBytes || taken.length >= partsFree) break;
      const item = items[at]!;
      const cost = item.message.length + overhead;
      if (cost > free) continue;
      free -= cost;
      if (at === taken.length) inFront++;
      taken.push(item);
    }
    if (taken.length === 0) return [];
    for (let i = inFront; i < taken.length; i++) this.items.splice(this.placeOf(taken[i]!), 1);
    this.items.splice(0, inFront);
    this.settle(taken);
    return taken.map((item) => item.message);
  }

  /** Counts one transmission of each; those told often enough are done. */
  private settle(taken: readonly Item[]): void {
    const limit = this.transmitLimit;
    for (const item of taken) {
      item.transmits++;
      if (item.transmits < limit) this.insert(item);
      else this.forget(item);
    }
  }

  /** Drops the most told until at most `count` remain; gives how many were dropped. */
  prune(count: number): number {
    const dropped = this.items.splice(count);
    for (const item of dropped) this.forget(item);
    return dropped.length;
  }

  private insert(item: Item): void {
    if (this.items.length === 0) this.shortestBytes = Number.POSITIVE_INFINITY;
    this.shortestBytes = Math.min(this.shortestBytes, item.message.length);
    this.items.splice(this.placeOf(item), 0, item);
  }

  /** Where it stands, or would stand: no two items are equal in the order. */
  private placeOf(item: Item): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.items[middle]!, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private remove(item: Item): void {
    this.items.splice(this.placeOf(item), 1);
    this.forget(item);
  }

  private forget(item: Item): void {
    if (item.subject !== undefined && this.subjects.get(item.subject) === item) this.subjects.delete(item.subject);
    if (item.token !== undefined) this.finished(item.token);
  }
}

export function transmitLimit(retransmitMult: number, members: number): number {
  return retransmitMult * Math.ceil(Math.log10(members + 1));
}

function before(a: Item, b: Item): boolean {
  if (a.transmits !== b.transmits) return a.transmits < b.transmits;
  if (a.message.length !== b.message.length) return a.message.length > b.message.length;
  return a.sequence > b.sequence;
}
