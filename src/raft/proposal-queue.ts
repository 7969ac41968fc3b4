/**
 * Proposals on their way into a leader's log. Those that come together go in together: one message a follower, and one write to the
 * disk, for all of them. So the first of a turn of the event loop waits for the end of the turn.
 *
 * One that comes alone, after one that came alone, waits for nobody: it goes in as soon as its caller has returned, and its message
 * leaves before the turn ends. (A message that is made at the end of a turn leaves only after the input of the next has been read:
 * Node hands what HTTP/2 has to send to the socket once a turn, before what waits for the turn's end.)
 */
import type { Deferred, Proposed } from './pending.ts';

export interface QueuedProposal {
  readonly data: Uint8Array;
  readonly deferred: Deferred<Proposed>;
}

export interface ProposalQueueParts {
  /** Runs a callback at the end of this turn, or soon after. */
  later(callback: () => void): void;
  /** Runs a callback when the running code has returned. */
  next(callback: () => void): void;
  /** Takes all that has come. */
  flush(queue: readonly QueuedProposal[]): void;
  /** Nobody's proposal is in the log and waits there. */
  isIdle(): boolean;
}

export class ProposalQueue {
  readonly #parts: ProposalQueueParts;
  #queue: QueuedProposal[] = [];
  #bytes = 0;
  /** How many went in together last. */
  #lastSize = 0;

  constructor(parts: ProposalQueueParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#queue.length;
  }

  /** Of what waits here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Proposals come one at a time at present. */
  get isTrickle(): boolean {
    return this.#lastSize <= 1;
  }

  add(proposal: QueuedProposal): void {
    this.#bytes += proposal.data.length;
    if (this.#queue.push(proposal) > 1) return;
    const flush = (): void => this.#flush();
    if (this.isTrickle && this.#parts.isIdle()) this.#parts.next(flush);
    else this.#parts.later(flush);
  }

  /** What waits here, which goes nowhere any more. */
  takeAll(): readonly QueuedProposal[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    return queue;
  }

  #flush(): void {
    const queue = this.takeAll();
    if (queue.length === 0) return;
    this.#lastSize = queue.length;
    this.#parts.flush(queue);
  }
}
