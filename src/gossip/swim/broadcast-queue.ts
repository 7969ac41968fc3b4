/**
 * The queue of what is to be told to everybody (SWIM §4.1). A message rides on packets that leave anyway, at most
 * retransmitMult × ceil(log10(n + 1)) times; infection spreads the rest of the way. The least told go first; among
 * equals the longest that still fits, then the newest.
 *
 * Where an audience is given, nobody is told twice before everybody was told once, and who told us counts as told. With chance
 * alone a few tellings miss somebody: of four members where each tells two, one in eight messages did not reach the fourth, of
 * nine with four each one in twenty. It costs no packet. Each also tells at least four, or all there are, whatever the profile:
 * two (the local one) leave out somebody in every second message among nine. (Own addition; the wire does not see it.)
 */
import type { Endpoint } from './types.ts';

interface Item {
  readonly message: Uint8Array;
  /** A message about the same subject replaces an older one; undefined never replaces. */
  readonly subject: string | undefined;
  readonly token: string | undefined;
  readonly sequence: number;
  transmits: number;
  /** Who knows it, since everybody was last told; at most the audience. */
  told: Endpoint[];
}

/** Packets carry at most this many broadcasts, well within what a compound can count. */
const partsMax = 100;
/** What has an audience is told to so many, as in the LAN profile. */
const toldMin = 4;

export class BroadcastQueue {
  private readonly retransmitMult: number;
  private readonly members: () => number;
  private readonly finished: (token: string) => void;
  private readonly audience: () => number;
  /** Sorted: see `before`. */
  private readonly items: Item[] = [];
  private readonly subjects = new Map<string, Item>();
  private sequence = 0;
  /** No message is shorter: once that does not fit, nothing does. Begins anew whenever the queue ran empty. */
  private shortestBytes = Number.POSITIVE_INFINITY;

  /**
   * `finished` is told the token of a message that was sent often enough, was replaced or pruned. `audience`: how many others
   * there are to tell, at least those that packets go to; 0 leaves it to chance.
   */
  constructor(
    retransmitMult: number,
    members: () => number,
    finished: (token: string) => void,
    audience: () => number = () => 0,
  ) {
    this.retransmitMult = retransmitMult;
    this.members = members;
    this.finished = finished;
    this.audience = audience;
  }

  get length(): number {
    return this.items.length;
  }

  get transmitLimit(): number {
    return transmitLimit(this.retransmitMult, this.members());
  }

  add(message: Uint8Array, options: { subject?: string; token?: string; heardFrom?: Endpoint | undefined } = {}): void {
    const { subject, token, heardFrom } = options;
    if (subject !== undefined) {
      const older = this.subjects.get(subject);
      if (older !== undefined) this.remove(older);
    }
    const item: Item = {
      message,
      subject,
      token,
      sequence: this.sequence++,
      transmits: 0,
      told: heardFrom === undefined ? [] : [heardFrom],
    };
    this.insert(item);
    if (subject !== undefined) this.subjects.set(subject, item);
  }

  /** Messages for one packet of `bytes` free bytes to `to`, each costing `overhead` more than its length. */
  drain(bytes: number, overhead: number, partsFree: number = partsMax, to?: Endpoint): Uint8Array[] {
    const { items } = this;
    if (items.length === 0) return [];
    const audience = to === undefined ? 0 : this.audience();
    const taken: Item[] = [];
    /** How many of those looked at before the first that did not fit: in most packets all. */
    let inFront = 0;
    let free = bytes;
    for (let at = 0; at < items.length; at++) {
      if (free < overhead + this.shortestBytes || taken.length >= partsFree) break;
      const item = items[at]!;
      const cost = item.message.length + overhead;
      if (cost > free || (to !== undefined && knows(item, to, audience))) continue;
      free -= cost;
      if (at === taken.length) inFront++;
      taken.push(item);
    }
    if (taken.length === 0) return [];
    for (let i = inFront; i < taken.length; i++) this.items.splice(this.placeOf(taken[i]!), 1);
    this.items.splice(0, inFront);
    if (to !== undefined && audience > 0) for (const item of taken) note(item, to, audience);
    this.settle(taken, Math.max(this.transmitLimit, Math.min(audience, toldMin)));
    return taken.map((item) => item.message);
  }

  /** Counts one transmission of each; those told often enough are done. */
  private settle(taken: readonly Item[], limit: number): void {
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

/** Whether it is somebody else's turn. */
function knows({ told }: Item, to: Endpoint, audience: number): boolean {
  return told.length < audience && told.some((one) => one.port === to.port && one.address === to.address);
}

function note(item: Item, to: Endpoint, audience: number): void {
  item.told = item.told.length + 1 < audience ? [...item.told, to] : [];
}

function before(a: Item, b: Item): boolean {
  if (a.transmits !== b.transmits) return a.transmits < b.transmits;
  if (a.message.length !== b.message.length) return a.message.length > b.message.length;
  return a.sequence > b.sequence;
}
